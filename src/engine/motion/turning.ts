import { resizePlane } from '../../models/pixels/bilinear.js';
import type { Plane } from '../media/media.js';
import type { Flow } from './flow.js';

/** Which way the front of something turns from view to view: to the right or to the left. */
export type Direction = 1 | -1;

/** Pixels from one place that is looked for to the next, and half the side of what is compared. */
const step = 4;
const half = 6;

/** Pixels that a place may go up or down while it turns. */
const sway = 2;

/** What a pixel of distance costs, in levels of 255: of two places that look alike the nearer one is taken. */
const distanceCost = 0.12;

/** How much more that costs against the direction of the front. */
const backCost = 3;

/** What differs by less has not moved. */
const unchanged = 1;

interface Guess {
  flow: Flow;
  /** How much what was found differs, on average. */
  cost: number;
}

/** The direction in which what is seen of a thing moved from one view to the next; `reach` is as for `guessTurn`. */
export function directionOf(from: Plane, to: Plane, reach: number): Direction {
  const [right, left] = [searched(from, to, { direction: 1, reach }), searched(from, to, { direction: -1, reach })];
  return right.cost <= left.cost ? 1 : -1;
}

/**
 * A first guess at the motion between two views (grey, 0..255) of something that turns: the place that looks most like each
 * one, at most `reach` (of the width) away, rather in the direction in which the front has moved. Motion as far as this
 * is lost on an estimate from slopes alone.
 */
export function guessTurn(from: Plane, to: Plane, options: { direction: Direction; reach: number }): Flow {
  return searched(from, to, options).flow;
}

function searched(from: Plane, to: Plane, { direction, reach }: { direction: Direction; reach: number }): Guess {
  const { width, height } = from;
  const size = { width: Math.ceil(width / step), height: Math.ceil(height / step) };
  const [across, down] = [new Float32Array(size.width * size.height), new Float32Array(size.width * size.height)];
  const farthest = Math.round(reach * width);
  let sum = 0;
  for (let row = 0, at = 0; row < size.height; row++) {
    for (let column = 0; column < size.width; column++, at++) {
      const place = { x: Math.round((column + 0.5) * step), y: Math.round((row + 0.5) * step) };
      const best = likest(from, to, { ...place, direction, farthest });
      sum += best.cost;
      across[at] = best.dx / width;
      down[at] = best.dy / height;
    }
  }
  const plane = (data: Float32Array) => resizePlane(median({ data, ...size }), from);
  return { flow: { across: plane(across), down: plane(down) }, cost: sum / across.length };
}

/** Where what surrounds a place is found again. */
function likest(
  from: Plane,
  to: Plane,
  { x, y, direction, farthest }: { x: number; y: number; direction: Direction; farthest: number },
): { cost: number; dx: number; dy: number } {
  const best = { cost: difference(from, to, { x, y, dx: 0, dy: 0, most: Number.POSITIVE_INFINITY }), dx: 0, dy: 0 };
  if (best.cost < unchanged) return best;
  for (let move = -farthest; move <= farthest; move++) {
    // What is behind the axis, a handle for one, goes the other way.
    const effort = move < 0 ? -move * backCost : move;
    for (let dy = -sway; dy <= sway; dy++) {
      const dx = direction * move;
      const cost = difference(from, to, { x, y, dx, dy, most: best.cost }) + distanceCost * (effort + Math.abs(dy));
      if (cost < best.cost) Object.assign(best, { cost, dx, dy });
    }
  }
  return best;
}

/** How much what surrounds a place differs from what surrounds another, per pixel; not told exactly above `most`. */
function difference(
  from: Plane,
  to: Plane,
  { x, y, dx, dy, most }: { x: number; y: number; dx: number; dy: number; most: number },
): number {
  const { width, height } = from;
  // Every second pixel of every second row: enough to tell, and a quarter of the time.
  const area = (half + 1) ** 2;
  let sum = 0;
  for (let row = y - half; row <= y + half && sum < most * area; row += 2) {
    const [above, below] = [clamp(row, height) * width, clamp(row + dy, height) * width];
    for (let column = x - half; column <= x + half; column += 2) {
      const one = from.data[above + clamp(column, width)] as number;
      sum += Math.abs(one - (to.data[below + clamp(column + dx, width)] as number));
    }
  }
  return sum / area;
}

function clamp(at: number, length: number): number {
  return at < 0 ? 0 : at >= length ? length - 1 : at;
}

/** Each value becomes the middle one of its neighbourhood: what a single place says alone is an error. */
export function median({ data, width, height }: Plane): Plane {
  const result = data.slice();
  const around = new Float32Array(9);
  for (let y = 1; y < height - 1; y++) {
    for (let x = 1; x < width - 1; x++) {
      const at = y * width + x;
      for (let row = -1, to = 0; row <= 1; row++) {
        for (let column = -1; column <= 1; column++, to++) around[to] = data[at + row * width + column] as number;
      }
      result[at] = around.sort()[4] as number;
    }
  }
  return { data: result, width, height };
}
