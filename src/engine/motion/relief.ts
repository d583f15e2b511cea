import { blurPlane } from '../../models/pixels/blur.js';
import type { Plane } from '../media/media.js';

/** How far away what is seen at a place (in fractions of width and height) is; 1 is the plane of the picture. */
export type Relief = (x: number, y: number) => number;

/** How much nearer than the plane the nearest place can come, and how much farther the farthest: their disparity. */
export const reliefReach = 0.32;

/** Share of the longer side by which what is near grows, so that its outline moves with it and not with what is behind. */
const growth = 1 / 120;

/**
 * The relief that a model's nearness (0..1) tells of. The plane of the picture, where nothing shifts while the camera
 * moves sideways, lies at the nearness of the focus.
 */
export function reliefOf(nearness: Plane, focus: { x: number; y: number }): Relief {
  const longer = Math.max(nearness.width, nearness.height);
  const grown = widened(nearness, Math.max(1, Math.round(longer * growth)));
  const margin = 8;
  const smooth = cropped(blurPlane(extended(grown, margin), { across: 1.5, down: 1.5 }), margin);
  const at = lookUp(smooth);
  const level = at(focus.x, focus.y);
  return (x, y) => 1 / (1 + reliefReach * (at(x, y) - level));
}

/** The value of a plane at a place in fractions of its sides, bilinear, the border repeated. */
export function lookUp({ data, width, height }: Plane): (x: number, y: number) => number {
  return (x, y) => {
    const across = Math.min(Math.max(x * width - 0.5, 0), Math.max(0, width - 1.001));
    const down = Math.min(Math.max(y * height - 0.5, 0), Math.max(0, height - 1.001));
    const [left, top] = [Math.floor(across), Math.floor(down)];
    const [right, low] = [across - left, down - top];
    const at = top * width + left;
    const next = width > 1 ? 1 : 0;
    const below = height > 1 ? width : 0;
    const upper = (data[at] as number) * (1 - right) + (data[at + next] as number) * right;
    const lower = (data[at + below] as number) * (1 - right) + (data[at + below + next] as number) * right;
    return upper * (1 - low) + lower * low;
  };
}

/** Every value becomes the largest one around it, up to this many places away. */
function widened(plane: Plane, radius: number): Plane {
  const { width, height } = plane;
  const along = (source: Float32Array, { step, length }: { step: number; length: number }) =>
    source.map((_, at) => {
      const place = Math.floor(at / step) % length;
      let largest = 0;
      for (let move = -Math.min(radius, place); move <= Math.min(radius, length - 1 - place); move++) {
        largest = Math.max(largest, source[at + move * step] as number);
      }
      return largest;
    });
  const rows = along(plane.data, { step: 1, length: width });
  return { data: along(rows, { step: width, length: height }), width, height };
}

/** With its border repeated, because a blur takes what is beyond for 0. */
function extended({ data, width, height }: Plane, margin: number): Plane {
  const size = { width: width + 2 * margin, height: height + 2 * margin };
  const result = new Float32Array(size.width * size.height);
  for (let y = 0, to = 0; y < size.height; y++) {
    const row = Math.min(Math.max(y - margin, 0), height - 1) * width;
    for (let x = 0; x < size.width; x++, to++) {
      result[to] = data[row + Math.min(Math.max(x - margin, 0), width - 1)] as number;
    }
  }
  return { data: result, ...size };
}

function cropped({ data, width, height }: Plane, margin: number): Plane {
  const size = { width: width - 2 * margin, height: height - 2 * margin };
  const result = new Float32Array(size.width * size.height);
  for (let y = 0; y < size.height; y++) {
    const from = (y + margin) * width + margin;
    result.set(data.subarray(from, from + size.width), y * size.width);
  }
  return { data: result, ...size };
}
