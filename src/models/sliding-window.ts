import type { Size } from '../engine/media/media.js';

export interface Slide extends Size {
  radius: number;
  /** Sums that are kept per pixel. */
  quantities: number;
  /** Adds a row of the picture to the sums of its columns, or takes it away (`sign` -1). */
  addRow(row: number, sign: number, sums: Float64Array): void;
}

/**
 * Visits every pixel with the sums over its square window, cut off at the borders, and the number of pixels in it. Running
 * sums: the cost does not depend on the radius.
 */
export function slideWindow(
  { width, height, radius, quantities, addRow }: Slide,
  visit: (at: number, sums: Float64Array, count: number) => void,
): void {
  const columns = new Float64Array(width * quantities);
  const sums = new Float64Array(quantities);
  const addColumn = (x: number, sign: number) => {
    for (let index = 0, from = x * quantities; index < quantities; index++, from++) {
      sums[index] = (sums[index] as number) + sign * (columns[from] as number);
    }
  };
  for (let y = 0; y < Math.min(radius, height); y++) addRow(y, 1, columns);
  for (let y = 0; y < height; y++) {
    if (y + radius < height) addRow(y + radius, 1, columns);
    if (y > radius) addRow(y - radius - 1, -1, columns);
    const rows = Math.min(y + radius, height - 1) - Math.max(y - radius, 0) + 1;
    sums.fill(0);
    for (let x = 0; x < Math.min(radius, width); x++) addColumn(x, 1);
    for (let x = 0; x < width; x++) {
      if (x + radius < width) addColumn(x + radius, 1);
      if (x > radius) addColumn(x - radius - 1, -1);
      visit(y * width + x, sums, rows * (Math.min(x + radius, width - 1) - Math.max(x - radius, 0) + 1));
    }
  }
}
