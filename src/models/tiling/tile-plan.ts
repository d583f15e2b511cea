import type { Size } from '../../engine/media/media.js';

/** A stretch of one axis, in pixels of the input. */
export interface Span {
  /** The window that the network sees: its first pixel and their number. */
  start: number;
  size: number;
  /** The part of the result that is used, the end not included: it shares a ramp of `feather` pixels with each neighbour. */
  from: number;
  to: number;
}

/** The tiles of a picture: every column crossed with every row. */
export interface TilePlan {
  columns: Span[];
  rows: Span[];
}

export interface TileLimits {
  /** Pixels around the used part of a tile that its result depends on. */
  pad: number;
  /** Longest sides of a window, multiples of 8. */
  width: number;
  height: number;
}

/** Width of the ramp over a seam. It hides what is left of a seam when a network looks further than its overlap. */
export const feather = 8;

/**
 * Windows are multiples of it, so that pictures of all sizes bring few shapes to the runtime. With 32 a picture of 12
 * megapixels would be 5 % slower.
 */
export const granule = 8;

/**
 * Cuts a picture into windows of one size (its own size along an axis where it is within the limit). What is used of a
 * window lies `pad` pixels away from each inner side of it at least.
 */
export function planTiles({ width, height }: Size, limits: TileLimits): TilePlan {
  return { columns: cut(width, limits.width, limits.pad), rows: cut(height, limits.height, limits.pad) };
}

function cut(length: number, limit: number, pad: number): Span[] {
  if (length <= limit) return [{ start: 0, size: length, from: 0, to: length }];
  const shared = 2 * pad + feather;
  const count = Math.ceil((length - shared) / (limit - shared));
  // As many windows as the limit asks for, but none larger than that many need to be.
  const size = roundUp((length + (count - 1) * shared) / count);
  // Even ones (but for the last of an odd length), since networks that fold 2 × 2 pixels give others of odd ones. As `shared`
  // and `size` are even, the steps between starts stay short enough.
  const starts = Array.from(
    { length: count },
    (_, index) => 2 * Math.round((index * (length - size)) / (count - 1) / 2),
  );
  starts[count - 1] = length - size;
  const seams = starts.slice(1).map((start, index) => Math.floor(((starts[index] as number) + size + start) / 2));
  return starts.map((start, index) => {
    const [before, after] = [seams[index - 1], seams[index]];
    const from = before === undefined ? 0 : before - feather / 2;
    return { start, size, from, to: after === undefined ? length : after + feather / 2 };
  });
}

/** The next multiple of the granule. */
export function roundUp(length: number): number {
  return Math.ceil(length / granule) * granule;
}
