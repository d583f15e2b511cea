import type { Plane } from '../media/media.js';

/** Where something begins and ends in each row of a view, in widths of the picture; NaN where nothing of it is. */
export interface Outline {
  left: Float32Array;
  right: Float32Array;
}

/**
 * How far something reaches from its axis in each row, toward directions all around it that are evenly spread: its support
 * function. Lengths are in widths of the picture; direction 0 is to the right in the first view, which is seen against a quarter of a turn.
 */
export interface Girth {
  /** Where the axis of the turn is, from the left. */
  axis: number;
  /** Null where nothing of the thing is. */
  rows: readonly (Float32Array | null)[];
}

/** A place on the surface as a camera sees it that has turned around the axis. */
export interface Surface {
  /** From the axis to the right. */
  x: number;
  /** Toward the camera. */
  near: number;
  /** 1 when the camera looks straight at it, 0 at the outline, less than 0 on the back. */
  facing: number;
}

/** Rows in which outlines are told. */
export const girthRows = 64;

/** The outline of something opaque, rows being evenly spread over the height. */
export function outlineOf({ data, width, height }: Plane): Outline {
  const outline = { left: new Float32Array(girthRows).fill(Number.NaN), right: new Float32Array(girthRows) };
  outline.right.fill(Number.NaN);
  for (let row = 0; row < girthRows; row++) {
    const first = Math.min(Math.floor(((row + 0.5) * height) / girthRows), height - 1) * width;
    const line = data.subarray(first, first + width);
    const from = line.findIndex((value) => value > 0.5);
    if (from < 0) continue;
    const to = line.findLastIndex((value) => value > 0.5);
    // As far into the next pixel as that one is covered.
    outline.left[row] = (from - (line[from - 1] ?? 0)) / width;
    outline.right[row] = (to + 1 + (line[to + 1] ?? 0)) / width;
  }
  return outline;
}

/** The girth of something from its outlines in views all around; its front turns to the right if `direction` is 1. */
export function girthOf(outlines: readonly Outline[], direction: 1 | -1): Girth {
  const axis = axisOf(outlines);
  const rows = Array.from({ length: girthRows }, (_, row) => supportOf(outlines, { row, axis, direction }));
  return { axis, rows };
}

/**
 * The place on the surface with this outward direction, from the side of a camera that has turned by `turn` (radians); for
 * each width that it is nearer than the axis it looks larger by `perspective`.
 */
export function surfaceAt(
  support: Float32Array,
  outward: number,
  { turn, perspective }: { turn: number; perspective: number },
): Surface {
  const [reach, change] = valueAt(support, outward);
  const angle = outward - turn;
  const near = reach * Math.sin(angle) + change * Math.cos(angle);
  const x = reach * Math.cos(angle) - change * Math.sin(angle);
  return { x: x * (1 + perspective * near), near, facing: Math.sin(angle) };
}

/** Over a whole turn something is as often to the left of its axis as to the right of it. */
function axisOf(outlines: readonly Outline[]): number {
  let [sum, count] = [0, 0];
  for (const { left, right } of outlines) {
    for (let row = 0; row < girthRows; row++) {
      if (Number.isNaN(left[row])) continue;
      sum += ((left[row] as number) + (right[row] as number)) / 2;
      count++;
    }
  }
  return count > 0 ? sum / count : 0.5;
}

function supportOf(
  outlines: readonly Outline[],
  { row, axis, direction }: { row: number; axis: number; direction: 1 | -1 },
): Float32Array | null {
  const views = outlines.length;
  // Opposite views tell the same when there are even ones: then as many directions as views, else twice as many.
  const count = views % 2 === 0 ? views : 2 * views;
  const [sums, known] = [new Float32Array(count), new Float32Array(count)];
  const add = (at: number, reach: number) => {
    const place = ((at % count) + count) % count;
    sums[place] = (sums[place] as number) + reach;
    known[place] = (known[place] as number) + 1;
  };
  for (const [view, { left, right }] of outlines.entries()) {
    if (Number.isNaN(left[row])) continue;
    const at = (direction * view * count) / views;
    add(at, (right[row] as number) - axis);
    add(at + count / 2, axis - (left[row] as number));
  }
  const found = known.reduce((sum, each) => sum + Math.min(each, 1), 0);
  if (found < count / 2) return null;
  const mean = sums.reduce((sum, value, at) => sum + value / Math.max(known[at] as number, 1), 0) / found;
  return sums.map((value, at) => (known[at] ? value / (known[at] as number) : mean));
}

/**
 * The support toward a direction and how it changes with it, between its samples along a curve that goes beyond none of them
 * (van Leer, 1977): what sticks out in one view does not make the thing wider in others.
 */
function valueAt(support: Float32Array, outward: number): [value: number, change: number] {
  const count = support.length;
  const at = (outward * count) / (2 * Math.PI);
  const first = Math.floor(at);
  const t = at - first;
  const sample = (offset: number) => support[(((first + offset) % count) + count) % count] as number;
  const [a, b, c, d] = [sample(-1), sample(0), sample(1), sample(2)];
  const [enter, leave] = [slopeBetween(b - a, c - b), slopeBetween(c - b, d - c)];
  const square = 3 * (c - b) - 2 * enter - leave;
  const cube = 2 * (b - c) + enter + leave;
  const value = b + t * (enter + t * (square + t * cube));
  const slope = enter + t * (2 * square + t * 3 * cube);
  return [value, (slope * count) / (2 * Math.PI)];
}

/** The slope at a sample from those before and after it: none at a summit, never more than twice either. */
function slopeBetween(before: number, after: number): number {
  if (before * after <= 0) return 0;
  const size = Math.min(Math.abs(before + after) / 2, 2 * Math.abs(before), 2 * Math.abs(after));
  return before < 0 ? -size : size;
}
