import type { Size } from '../media/media.js';

/**
 * Where a frame gets its pixels from: the place in the picture for every `step`th place of the frame, in fractions of the
 * picture's width and height. Between these places it runs straight.
 */
export interface Mesh {
  /** Pixels of the frame between two places. */
  step: number;
  columns: number;
  rows: number;
  /** Three numbers for each place, row by row. */
  places: Float32Array;
}

/** A place in the picture, and how much of it (0..1) is laid over what is there. */
export type Place = [x: number, y: number, share: number];

/** Sets the place in the picture that is seen at (x, y) of the frame, in pixels of the frame. */
export type PlaceOf = (x: number, y: number, place: Place) => void;

/** A mesh over a frame, to be filled again for each of its pictures; `step` is even. */
export function createMesh({ width, height }: Size, step: number): Mesh {
  const columns = Math.ceil(width / step) + 1;
  const rows = Math.ceil(height / step) + 1;
  return { step, columns, rows, places: new Float32Array(3 * columns * rows) };
}

export function fillMesh({ step, columns, rows, places }: Mesh, placeOf: PlaceOf): void {
  const place: Place = [0, 0, 1];
  for (let row = 0, at = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, at += 3) {
      placeOf(column * step, row * step, place);
      places[at] = place[0];
      places[at + 1] = place[1];
      places[at + 2] = place[2];
    }
  }
}
