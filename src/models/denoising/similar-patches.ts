/** Side of a patch, and how many similar ones make a group. */
export const patch = 8;
export const groupSize = 16;

/** How far from a patch its like is looked for, in pixels to each side. */
export const reach = 16;

/** Of the rows of a patch the first of so many are compared: the pilot is smooth, and they tell as much as all. */
const rowStep = 3;

/** Rows of a picture in which patches are compared. */
export interface Luma {
  data: Float32Array;
  width: number;
  /** How many rows there are. */
  height: number;
}

/** Finds groups of similar patches for one row of patches after the other. */
export class PatchFinder {
  readonly #columns: Int32Array;
  /** Index of the first sample of each patch of each group, the group's own first. */
  readonly places: Int32Array;
  readonly #distances: Float32Array;
  readonly #steps: Float32Array;

  /** `columns` are the left sides of the patches for which there is to be a group. */
  constructor(columns: Int32Array, width: number) {
    this.#columns = columns;
    this.places = new Int32Array(columns.length * groupSize);
    this.#distances = new Float32Array(columns.length * groupSize);
    this.#steps = new Float32Array(width);
  }

  /** Fills `places` for the patches whose upper side is `row`: squared differences decide, the nearer come first. */
  find(luma: Luma, row: number): void {
    this.#forget(luma, row);
    for (let down = Math.max(-reach, -row); down <= Math.min(reach, luma.height - patch - row); down++) {
      for (let across = -reach; across <= reach; across++) {
        if (down === 0 && across === 0) continue;
        this.#compareColumns(luma, row, down * luma.width + across);
        this.#keepBest(luma, row, { down, across });
      }
    }
  }

  /** Every group has its own patch only, as often as it takes. */
  #forget({ width }: Luma, row: number): void {
    this.#distances.fill(Number.POSITIVE_INFINITY);
    for (let index = 0; index < this.#columns.length; index++) {
      const own = row * width + (this.#columns[index] as number);
      this.places.fill(own, index * groupSize, (index + 1) * groupSize);
      this.#distances[index * groupSize] = 0;
    }
  }

  /** Squared differences between every column of a patch's height and the one `offset` samples on. */
  #compareColumns({ data, width, height }: Luma, row: number, offset: number): void {
    const steps = this.#steps.fill(0);
    for (let y = row; y < row + patch; y += rowStep) {
      const start = y * width;
      // Beyond the sides this compares with other rows; no patch there is used.
      const from = Math.max(0, -offset - start);
      const to = Math.min(width, height * width - offset - start);
      for (let x = from; x < to; x++) {
        const step = (data[start + x] as number) - (data[start + x + offset] as number);
        steps[x] = (steps[x] as number) + step * step;
      }
    }
  }

  #keepBest({ width }: Luma, row: number, { down, across }: { down: number; across: number }): void {
    const steps = this.#steps;
    const [least, most] = [Math.max(0, -across), width - patch - Math.max(0, across)];
    for (let index = 0; index < this.#columns.length; index++) {
      const left = this.#columns[index] as number;
      if (left < least || left > most) continue;
      let distance = 0;
      for (let x = left; x < left + patch; x++) distance += steps[x] as number;
      if (distance < (this.#distances[(index + 1) * groupSize - 1] as number)) {
        this.#insert(index, distance, (row + down) * width + left + across);
      }
    }
  }

  #insert(index: number, distance: number, place: number): void {
    let at = (index + 1) * groupSize - 1;
    while (at > index * groupSize && distance < (this.#distances[at - 1] as number)) {
      this.#distances[at] = this.#distances[at - 1] as number;
      this.places[at] = this.places[at - 1] as number;
      at -= 1;
    }
    this.#distances[at] = distance;
    this.places[at] = place;
  }
}
