import type { Plane, Size } from '../../engine/media/media.js';

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
    for (let x = 0; x < width; x++) {
      const across = columns[x] as Position;
      const top = mix(
        plane.data[upper + across.before] as number,
        plane.data[upper + across.after] as number,
        across.share,
      );
      const bottom = mix(
        plane.data[lower + across.before] as number,
        plane.data[lower + across.after] as number,
        across.share,
      );
      data[y * width + x] = mix(top, bottom, down.share);
    }
  }
  return { data, width, height };
}
