import { hadamardGain, hadamardStack } from './hadamard.js';
import { groupSize, patch } from './similar-patches.js';

/** A plane of two pictures, and the weighted sums of what came out of filtering so far. */
export interface FilteredPlane {
  noisy: Float32Array;
  /** The same without noise, as well as it is known. */
  pilot: Float32Array;
  sums: Float32Array;
  weights: Float32Array;
}

/** Where the patches of a stack are. */
export interface Stack {
  /** The first sample of each, from `first` on. */
  places: Int32Array;
  first: number;
  /** Samples in a row of the plane. */
  width: number;
}

/** Filters one stack after the other. */
export class StackFilter {
  readonly #noise: number;
  readonly #noisy = new Float64Array(hadamardGain);
  readonly #pilot = new Float64Array(hadamardGain);

  /** For noise of this deviation. */
  constructor(sigma: number) {
    this.#noise = hadamardGain * sigma ** 2;
  }

  /** Adds what Wiener's filter makes of the noisy stack to the sums, in the units of the plane times `hadamardGain`. */
  filter(plane: FilteredPlane, stack: Stack): void {
    gather(this.#noisy, plane.noisy, stack);
    gather(this.#pilot, plane.pilot, stack);
    hadamardStack(this.#noisy);
    hadamardStack(this.#pilot);
    const energy = this.#shrink();
    hadamardStack(this.#noisy);
    // The energy of the factors is that of the noise that is left, which is what an average weighs by.
    scatter(this.#noisy, plane, { stack, weight: 1 / Math.max(1, energy) });
  }

  /** Keeps of each frequency the share that the pilot has of it beside the noise; gives the energy of these factors. */
  #shrink(): number {
    const [noisy, pilot, noise] = [this.#noisy, this.#pilot, this.#noise];
    let energy = 0;
    for (let at = 0; at < hadamardGain; at++) {
      const power = (pilot[at] as number) * (pilot[at] as number);
      const factor = power / (power + noise);
      energy += factor * factor;
      noisy[at] = (noisy[at] as number) * factor;
    }
    return energy;
  }
}

function gather(samples: Float64Array, plane: Float32Array, { places, first, width }: Stack): void {
  let to = 0;
  for (let member = first; member < first + groupSize; member++) {
    let from = places[member] as number;
    for (let y = 0; y < patch; y++, from += width) {
      for (let x = 0; x < patch; x++) samples[to++] = plane[from + x] as number;
    }
  }
}

function scatter(
  samples: Float64Array,
  { sums, weights }: FilteredPlane,
  { stack, weight }: { stack: Stack; weight: number },
): void {
  const { places, first, width } = stack;
  let from = 0;
  for (let member = first; member < first + groupSize; member++) {
    let to = places[member] as number;
    for (let y = 0; y < patch; y++, to += width) {
      for (let x = 0; x < patch; x++, from++) {
        const share = weight * (taper[y * patch + x] as number);
        weights[to + x] = (weights[to + x] as number) + share;
        sums[to + x] = (sums[to + x] as number) + share * (samples[from] as number);
      }
    }
  }
}

/** Kaiser's window with β = 2, as BM3D has it: patches fade out towards their borders. */
const taper = Float64Array.from({ length: patch ** 2 }, (_, at) => kaiser(at % patch) * kaiser(Math.floor(at / patch)));

function kaiser(index: number): number {
  const middle = (patch - 1) / 2;
  return bessel(2 * Math.sqrt(1 - ((index - middle) / middle) ** 2)) / bessel(2);
}

/** The modified Bessel function of order 0, for small arguments. */
function bessel(x: number): number {
  let [sum, term] = [1, 1];
  for (let k = 1; k < 20; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}
