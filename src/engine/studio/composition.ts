import type { Pixels, Size } from '../media/media.js';
import type { Rgba } from './colour.js';
import type { Box } from './layout.js';

/** What lies under a subject, as rows of the canvas (4 channels); what is given is changed. */
export type Under = (top: number, height: number) => Promise<Pixels>;

export interface CompositionOptions {
  canvas: Size;
  /** Where the rows that are pushed go. */
  box: Box;
  under: Under;
  /** Takes the next rows of the canvas, 4 channels. */
  write(rows: Pixels): Promise<void>;
}

/** A canvas that fills from top to bottom while the rows of its subject come in. */
export interface Composition {
  /** The next rows of the subject: as wide as its box, 4 channels. */
  push(rows: Pixels): Promise<void>;
  /** Writes what is left below the subject. */
  finish(): Promise<void>;
}

/** Rows of empty canvas that are written at a time. */
const rowsAtATime = 128;

/** Lays a subject over what is under it, by rows: memory for a few of them, whatever the size of the canvas. */
export function composeRows({ canvas, box, under, write }: CompositionOptions): Composition {
  let next = 0;
  const fillUntil = async (end: number) => {
    for (; next < end; next = Math.min(end, next + rowsAtATime)) {
      await write(await under(next, Math.min(rowsAtATime, end - next)));
    }
  };
  return {
    async push(rows) {
      await fillUntil(box.top);
      const canvasRows = await under(next, rows.height);
      layOver(canvasRows, rows, box.left);
      await write(canvasRows);
      next += rows.height;
    },
    finish: () => fillUntil(canvas.height),
  };
}

/** Lays rows with straight alpha over others (Porter and Duff's "over"), from column `left` on. */
export function layOver(under: Pixels, { data, width, height }: Pixels, left: number): void {
  for (let y = 0; y < height; y++) {
    for (let x = 0, from = 4 * y * width, to = 4 * (y * under.width + left); x < width; x++, from += 4, to += 4) {
      const alpha = data[from + 3] as number;
      if (alpha === 0) continue;
      if (alpha === 255) under.data.set(data.subarray(from, from + 4), to);
      else mixPixel(under.data, to, [data[from] as number, data[from + 1] as number, data[from + 2] as number, alpha]);
    }
  }
}

/** Darkens rows (4 channels) with a shadow of one colour; `strength` is 0..1 for every pixel. */
export function layShadow(under: Pixels, strength: Float32Array, [red, green, blue]: Rgba): void {
  for (let at = 0; at < strength.length; at++) {
    const alpha = (strength[at] as number) * 255;
    if (alpha >= 0.5) mixPixel(under.data, 4 * at, [red, green, blue, alpha]);
  }
}

function mixPixel(data: Uint8Array, at: number, [red, green, blue, alpha]: Rgba): void {
  const over = alpha / 255;
  const below = ((data[at + 3] as number) / 255) * (1 - over);
  const both = over + below;
  data[at] = Math.round((red * over + (data[at] as number) * below) / both);
  data[at + 1] = Math.round((green * over + (data[at + 1] as number) * below) / both);
  data[at + 2] = Math.round((blue * over + (data[at + 2] as number) * below) / both);
  data[at + 3] = Math.round(both * 255);
}
