import type { Plane, Size } from '../engine/media/media.js';

/** A place between two pixels of an axis. */
export interface Position {
  before: number;
  after: number;
  /** Of `after`, 0..1. */
  share: number;
}

/** Where pixel `index` of an axis of `length` pixels lies on the same axis of `coarse` pixels, centres on centres. */
export function position(index: number, length: number, coarse: number): Position {
  const at = Math.min(Math.max(((index + 0.5) * coarse) / length - 0.5, 0), coarse - 1);
  const before = Math.floor(at);
  return { before, after: Math.min(before + 1, coarse - 1), share: at - before };
}

/** The value between two. */
export function mix(from: number, to: number, share: number): number {
  return from + (to - from) * share;
}

/** A plane at another size, bilinear. */
export function resizePlane(plane: Plane, { width, height }: Size): Plane {
  if (plane.width === width && plane.height === height) return plane;
  const data = new Float32Array(width * height);
  const columns = Array.from({ length: width }, (_, x) => position(x, width, plane.width));
  for (let y = 0; y < height; y++) {
    const down = position(y, height, plane.height);
    const [upper, lower] = [down.before * plane.width, down.after * plane.width];
    for (const [x, { before, after, share }] of columns.entries()) {
      const top = mix(plane.data[upper + before] as number, plane.data[upper + after] as number, share);
      const bottom = mix(plane.data[lower + before] as number, plane.data[lower + after] as number, share);
      data[y * width + x] = mix(top, bottom, down.share);
    }
  }
  return { data, width, height };
}
