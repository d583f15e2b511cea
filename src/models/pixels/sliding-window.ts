import type { Size } from '../../engine/media/media.js';

export interface Slide extends Size {
  /** Half the side of the window. */
  radius: number;
  /** Values per pixel. */
  quantities: number;
  /** Writes the values of a row: quantity by quantity, `width` of each. */
  load(row: number, values: Float64Array): void;
}

/**
 * Visits every row with the means of its values over a square window, cut off at the borders; laid out as they are loaded.
 * Running sums: the cost does not depend on the radius.
 */
export function slideWindow(slide: Slide, visit: (row: number, means: Float64Array) => void): void {
  const { width, height, radius, quantities, load } = slide;
  const length = width * quantities;
  // One more than the window is high: a row enters while another leaves.
  const rows = Array.from({ length: 2 * radius + 2 }, () => new Float64Array(length));
  const columns = new Float64Array(length);
  const means = new Float64Array(length);
  const shares = Float64Array.from({ length: width }, (_, x) => 1 / within(x, radius, width));
  for (let next = 0; next < height + radius; next++) {
    const entering = rows[next % rows.length] as Float64Array;
    if (next < height) load(next, entering);
    else entering.fill(0);
    moveDown(columns, entering, rows[(next + 1) % rows.length] as Float64Array);
    const row = next - radius;
    if (row < 0) continue;
    const share = 1 / within(row, radius, height);
    for (let start = 0; start < length; start += width) moveAlong(columns, means, { start, radius, shares, share });
    visit(row, means);
  }
}

/** How many pixels of an axis lie in the window around one of them. */
function within(at: number, radius: number, length: number): number {
  return Math.min(at + radius, length - 1) - Math.max(at - radius, 0) + 1;
}

function moveDown(columns: Float64Array, entering: Float64Array, leaving: Float64Array): void {
  for (let at = 0; at < columns.length; at++) {
    columns[at] = (columns[at] as number) + (entering[at] as number) - (leaving[at] as number);
  }
}

interface Along {
  /** Where the sums of this quantity begin. */
  start: number;
  radius: number;
  /** One divided by the number of columns in each window. */
  shares: Float64Array;
  /** One divided by the number of rows. */
  share: number;
}

function moveAlong(columns: Float64Array, means: Float64Array, { start, radius, shares, share }: Along): void {
  const end = start + shares.length;
  let sum = 0;
  for (let at = start; at < Math.min(start + radius, end); at++) sum += columns[at] as number;
  for (let at = start; at < end; at++) {
    if (at + radius < end) sum += columns[at + radius] as number;
    if (at - radius > start) sum -= columns[at - radius - 1] as number;
    means[at] = sum * (shares[at - start] as number) * share;
  }
}
