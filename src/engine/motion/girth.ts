import type { Plane } from '../media/media.js';

/** Where something begins and ends in each row of a view, in widths of the picture; NaN where nothing of it is. */
export interface Outline {
  left: Float32Array;
  right: Float32Array;
}

/** Places around something convex, evenly spread by the direction that it faces there: x and y by turns, from its axis. */
export type Contour = Float32Array;

/**
 * What something is like in each row: convex, as outlines tell no more. Lengths are in widths of the picture; direction 0
 * is to the right in the first view, which is seen against a quarter of a turn.
 */
export interface Girth {
  /** Where the axis of the turn is, from the left. */
  axis: number;
  /** Null where nothing of the thing is. */
  rows: readonly (Contour | null)[];
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
  const rows = Array.from({ length: girthRows }, (_, row) => {
    const support = supportOf(outlines, { row, axis, direction });
    return support && contourOf(support);
  });
  return { axis, rows };
}

/**
 * The place on the surface with this outward direction, from the side of a camera that has turned by `turn` (radians); for
 * each width that it is nearer than the axis it looks larger by `perspective`.
 */
export function surfaceAt(
  contour: Contour,
  outward: number,
  { turn, perspective }: { turn: number; perspective: number },
): Surface {
  const [across, ahead] = placeAt(contour, outward);
  const x = across * Math.cos(turn) + ahead * Math.sin(turn);
  const near = ahead * Math.cos(turn) - across * Math.sin(turn);
  return { x: x * (1 + perspective * near), near, facing: Math.sin(outward - turn) };
}

/**
 * The largest convex contour that reaches nowhere farther than its support function says, which is known toward directions
 * evenly spread all around.
 */
export function contourOf(support: Float32Array): Contour {
  let corners: [x: number, y: number][] = [
    [-2, -2],
    [2, -2],
    [2, 2],
    [-2, 2],
  ];
  for (let side = 0; side < sides; side++) {
    const angle = (2 * Math.PI * side) / sides;
    corners = cut(corners, angle, reachAt(support, angle));
  }
  const contour = new Float32Array(2 * sides);
  for (let side = 0; side < sides; side++)
    contour.set(farthest(corners, (2 * Math.PI * (side + 0.5)) / sides), 2 * side);
  return contour;
}

/** Directions in which contours are told. */
const sides = 72;

/** What is left of a convex thing when it reaches only so far in a direction (Sutherland and Hodgman, 1974). */
function cut(corners: readonly [number, number][], angle: number, reach: number): [number, number][] {
  const [cosine, sine] = [Math.cos(angle), Math.sin(angle)];
  const beyond = corners.map(([x, y]) => x * cosine + y * sine - reach);
  return corners.flatMap(([x, y], at) => {
    const next = (at + 1) % corners.length;
    const [over, overNext] = [beyond[at] as number, beyond[next] as number];
    const [nextX, nextY] = corners[next] as [number, number];
    const share = over / (over - overNext);
    const kept: [number, number][] = over <= 0 ? [[x, y]] : [];
    return over <= 0 === overNext <= 0 ? kept : [...kept, [x + (nextX - x) * share, y + (nextY - y) * share]];
  });
}

function farthest(corners: readonly [number, number][], angle: number): [number, number] {
  const reach = ([x, y]: readonly [number, number]) => x * Math.cos(angle) + y * Math.sin(angle);
  return corners.reduce((best, each) => (reach(each) > reach(best) ? each : best), corners[0] ?? [0, 0]);
}

function placeAt(contour: Contour, outward: number): [x: number, y: number] {
  const at = (outward * sides) / (2 * Math.PI) - 0.5;
  const first = Math.floor(at);
  const [one, next] = [first, first + 1].map((side) => 2 * (((side % sides) + sides) % sides)) as [number, number];
  const mix = (offset: number) => {
    const from = contour[one + offset] as number;
    return from + ((contour[next + offset] as number) - from) * (at - first);
  };
  return [mix(0), mix(1)];
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
 * The support toward a direction, between its samples along a curve that goes beyond none of them (van Leer, 1977): what
 * sticks out in one view does not make the thing wider in others.
 */
function reachAt(support: Float32Array, outward: number): number {
  const count = support.length;
  const at = (outward * count) / (2 * Math.PI);
  const first = Math.floor(at);
  const t = at - first;
  const sample = (offset: number) => support[(((first + offset) % count) + count) % count] as number;
  const [a, b, c, d] = [sample(-1), sample(0), sample(1), sample(2)];
  const [enter, leave] = [slopeBetween(b - a, c - b), slopeBetween(c - b, d - c)];
  const square = 3 * (c - b) - 2 * enter - leave;
  const cube = 2 * (b - c) + enter + leave;
  return b + t * (enter + t * (square + t * cube));
}

/** The slope at a sample from those before and after it: none at a summit, never more than twice either. */
function slopeBetween(before: number, after: number): number {
  if (before * after <= 0) return 0;
  const size = Math.min(Math.abs(before + after) / 2, 2 * Math.abs(before), 2 * Math.abs(after));
  return before < 0 ? -size : size;
}
