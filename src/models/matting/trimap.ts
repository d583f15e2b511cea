import type { Size } from '../../engine/media/media.js';

/** What is known of a picture: 255 is kept, 0 is removed, 128 is to be found out. */
export interface Trimap extends Size {
  data: Uint8Array;
}

export interface TrimapOptions {
  /** Alpha 0..255 above which a pixel is surely kept. */
  foreground: number;
  /** Alpha 0..255 below which a pixel is surely removed. */
  background: number;
  /** Side in pixels of the square that has to be sure all over for its middle to be. */
  erode: number;
}

/** Whether this entry of a trimap says nothing. */
export function isUnknown(state: number | undefined): boolean {
  return state !== 0 && state !== 255;
}

/** The trimap that rembg makes of a mask (`alpha_matting_cutout`): what is sure by its value, eroded; beyond the border everything is sure of being removed. */
export function trimapOfAlpha(alpha: Uint8Array, size: Size, { foreground, background, erode }: TrimapOptions): Trimap {
  const isKept = erodeMask(
    Uint8Array.from(alpha, (value) => (value > foreground ? 1 : 0)),
    size,
    { side: erode, beyond: 0 },
  );
  const isGone = erodeMask(
    Uint8Array.from(alpha, (value) => (value < background ? 1 : 0)),
    size,
    { side: erode, beyond: 1 },
  );
  return { ...size, data: isKept.map((kept, at) => (kept === 1 ? 255 : isGone[at] === 1 ? 0 : 128)) };
}

/** The trimap that a grey picture is: almost white is kept, almost black is removed, as PyMatting reads it (0.9 and 0.1). */
export function trimapOfGrey(grey: Uint8Array, size: Size): Trimap {
  return { ...size, data: grey.map((value) => (value >= 230 ? 255 : value <= 25 ? 0 : 128)) };
}

interface Erosion {
  side: number;
  /** What lies beyond the border. */
  beyond: 0 | 1;
}

/** 1 where a square of `side` pixels around is 1 all over; running sums, first along rows, then along columns. */
function erodeMask(mask: Uint8Array, { width, height }: Size, { side, beyond }: Erosion): Uint8Array {
  if (side <= 1) return mask;
  const across = new Uint8Array(mask.length);
  for (let y = 0; y < height; y++) erodeLine(mask, across, { start: y * width, step: 1, length: width, side, beyond });
  const both = new Uint8Array(mask.length);
  for (let x = 0; x < width; x++) erodeLine(across, both, { start: x, step: width, length: height, side, beyond });
  return both;
}

interface Line extends Erosion {
  start: number;
  step: number;
  length: number;
}

function erodeLine(from: Uint8Array, to: Uint8Array, { start, step, length, side, beyond }: Line): void {
  const before = Math.floor(side / 2);
  const at = (index: number) => (index < 0 || index >= length ? beyond : (from[start + index * step] as number));
  let sum = 0;
  for (let index = -before; index < side - before - 1; index++) sum += at(index);
  for (let index = 0; index < length; index++) {
    sum += at(index - before + side - 1);
    to[start + index * step] = sum === side ? 1 : 0;
    sum -= at(index - before);
  }
}
