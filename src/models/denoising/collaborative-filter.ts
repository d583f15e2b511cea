import type { Pixels, Size } from '../../engine/media/media.js';
import { clippedMeans } from './clipped-noise.js';
import { hadamardGain } from './hadamard.js';
import { fromOpponents, opponentColours, toOpponent } from './opponent-colours.js';
import { type FilteredPlane, StackFilter } from './patch-stack.js';
import { groupSize, PatchFinder, patch, reach } from './similar-patches.js';

/** From one patch to the next; what overlaps is averaged. */
const step = 5;

/** Rows that are taken at once, about as many as are held back for the patches that come. */
const slice = 32;
const mostHeldBack = 2 * reach + patch;

export interface CollaborativeFilterOptions extends Size {
  channels: 3 | 4;
  /** Standard deviation of the noise in each colour, in levels. */
  sigma: number;
}

/**
 * Takes noise out of a picture a second time, now that it is known about what the picture is: similar patches are stacked,
 * and of each frequency of the noisy stack is kept what the pilot (the picture without noise, as a network sees it) has of
 * it beside the noise. It is the second stage of BM3D (Dabov, Foi, Katkovnik and Egiazarian 2007, "Image denoising by
 * sparse 3-D transform-domain collaborative filtering") in opponent colours (as its colour version) with Hadamard's
 * transform along all axes and a pilot of another origin. Memory does not grow with the height of the picture, and the
 * result does not depend on how its rows are divided.
 */
export class CollaborativeFilter {
  readonly #size: CollaborativeFilterOptions;
  readonly #means: Float64Array;
  readonly #finder: PatchFinder;
  readonly #stacks: StackFilter;
  readonly #columns: Int32Array;
  /** A window on both pictures, a plane for each opponent colour. */
  readonly #planes: readonly FilteredPlane[];
  readonly #alpha: Uint8Array;
  /** Row of the picture with which the window begins, how many rows it has, and the row of the next patches. */
  #top = 0;
  #filled = 0;
  #next = 0;

  constructor(options: CollaborativeFilterOptions) {
    const samples = options.width * (mostHeldBack + slice);
    this.#size = options;
    this.#means = clippedMeans(options.sigma);
    this.#stacks = new StackFilter(options.sigma);
    this.#planes = opponentColours.map(() => openPlane(samples));
    this.#alpha = new Uint8Array(samples);
    this.#columns = Int32Array.from(places(options.width));
    this.#finder = new PatchFinder(this.#columns, options.width);
  }

  /** Takes the next rows of both pictures (the same ones) and gives those that are finished; all are after the last. */
  *take(noisy: Pixels, pilot: Pixels): Generator<Pixels> {
    if (Math.min(this.#size.width, this.#size.height) < patch) return yield pilot;
    for (let from = 0; from < pilot.height; from += slice) {
      const to = Math.min(pilot.height, from + slice);
      this.#append(cut(noisy, from, to), cut(pilot, from, to));
      this.#filter();
      yield this.#release();
    }
  }

  #append(noisy: Pixels, pilot: Pixels): void {
    const { data, width, height, channels } = pilot;
    const measured = this.#unclipped(noisy, pilot);
    const start = this.#filled * width;
    for (const [index, plane] of this.#planes.entries()) {
      for (let at = 0; at < width * height; at++) {
        plane.noisy[start + at] = toOpponent(index, measured, at * channels);
        plane.pilot[start + at] = toOpponent(index, data, at * channels);
      }
    }
    if (channels === 4)
      for (let at = 0; at < width * height; at++) this.#alpha[start + at] = data[4 * at + 3] as number;
    this.#filled += height;
  }

  /** The noisy samples as they would be on average if none had been clipped; those of the pilot where it is transparent. */
  #unclipped(noisy: Pixels, { data, channels }: Pixels): Float32Array {
    const measured = Float32Array.from(data);
    for (let at = 0; at < data.length; at++) {
      if (channels === 4 && data[at | 3] !== 255) continue;
      const known = data[at] as number;
      measured[at] = known + (noisy.data[at] as number) - (this.#means[known] as number);
    }
    return measured;
  }

  /** Filters all rows of patches whose every like is in the window. */
  #filter(): void {
    const { width, height } = this.#size;
    const luma = { data: (this.#planes[0] as FilteredPlane).pilot, width, height: this.#filled };
    const [end, last] = [this.#top + this.#filled, height - patch];
    while (this.#next <= last && (end === height || this.#next + patch + reach <= end)) {
      this.#finder.find(luma, this.#next - this.#top);
      for (let index = 0; index < this.#columns.length; index++) this.#filterGroup(index);
      this.#next = this.#next === last ? height : Math.min(last, this.#next + step);
    }
  }

  #filterGroup(index: number): void {
    const stack = { places: this.#finder.places, first: index * groupSize, width: this.#size.width };
    for (const plane of this.#planes) this.#stacks.filter(plane, stack);
  }

  /** The rows that no later patch reaches, which are then forgotten. */
  #release(): Pixels {
    const { width, height, channels } = this.#size;
    const done = this.#next === height ? this.#filled : Math.max(0, this.#next - reach - this.#top);
    const data = new Uint8ClampedArray(done * width * channels);
    const opponents = new Float64Array(3);
    for (let at = 0; at < done * width; at++) {
      for (let index = 0; index < 3; index++) {
        const { sums, weights } = this.#planes[index] as FilteredPlane;
        opponents[index] = (sums[at] as number) / (hadamardGain * (weights[at] as number));
      }
      for (let colour = 0; colour < 3; colour++) data[at * channels + colour] = fromOpponents(colour, opponents);
      if (channels === 4) data[at * channels + 3] = this.#alpha[at] as number;
    }
    this.#forget(done);
    return { data: new Uint8Array(data.buffer), width, height: done, channels };
  }

  #forget(rows: number): void {
    const { width } = this.#size;
    const [from, to] = [rows * width, this.#filled * width];
    for (const { noisy, pilot, sums, weights } of this.#planes) {
      for (const samples of [noisy, pilot, sums, weights]) samples.copyWithin(0, from, to);
      for (const samples of [sums, weights]) samples.fill(0, to - from);
    }
    this.#alpha.copyWithin(0, from, to);
    this.#top += rows;
    this.#filled -= rows;
  }
}

function openPlane(samples: number): FilteredPlane {
  const open = () => new Float32Array(samples);
  return { noisy: open(), pilot: open(), sums: open(), weights: open() };
}

/** Where patches begin along a side. */
function places(length: number): number[] {
  const last = Math.max(0, length - patch);
  const found = Array.from({ length: Math.ceil(last / step) }, (_, index) => index * step);
  return [...found, last];
}

function cut({ data, width, channels }: Pixels, from: number, to: number): Pixels {
  const stride = width * channels;
  return { data: data.subarray(from * stride, to * stride), width, height: to - from, channels };
}
