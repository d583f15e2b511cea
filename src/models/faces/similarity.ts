import type { Point } from '../model.js';

/** Turns, scales and moves: (x, y) becomes (ax − by + dx, bx + ay + dy). */
export interface Similarity {
  a: number;
  b: number;
  dx: number;
  dy: number;
}

/**
 * What brings one set of points nearest to another of as many: least squares without mirroring (Umeyama, "Least-squares
 * estimation of transformation parameters between two point patterns", PAMI 1991; in the plane it has this closed form).
 * Points that are all the same give numbers that are not finite.
 */
export function fitSimilarity(from: readonly Point[], to: readonly Point[]): Similarity {
  const [start, end] = [middleOf(from), middleOf(to)];
  let [along, across, spread] = [0, 0, 0];
  for (const [index, point] of from.entries()) {
    const goal = to[index] as Point;
    const [x, y] = [point.x - start.x, point.y - start.y];
    const [goalX, goalY] = [goal.x - end.x, goal.y - end.y];
    along += x * goalX + y * goalY;
    across += x * goalY - y * goalX;
    spread += x * x + y * y;
  }
  const [a, b] = [along / spread, across / spread];
  return { a, b, dx: end.x - a * start.x + b * start.y, dy: end.y - b * start.x - a * start.y };
}

/** Where it brings a point. */
export function moved({ a, b, dx, dy }: Similarity, { x, y }: Point): Point {
  return { x: a * x - b * y + dx, y: b * x + a * y + dy };
}

/** The way back. */
export function inverse({ a, b, dx, dy }: Similarity): Similarity {
  const square = a * a + b * b;
  const [backA, backB] = [a / square, -b / square];
  return { a: backA, b: backB, dx: -(backA * dx - backB * dy), dy: -(backB * dx + backA * dy) };
}

/** How many times longer everything becomes. */
export function scaleOf({ a, b }: Similarity): number {
  return Math.hypot(a, b);
}

/** The same to a place that is `factor` times larger. */
export function scaled({ a, b, dx, dy }: Similarity, factor: number): Similarity {
  return { a: a * factor, b: b * factor, dx: dx * factor, dy: dy * factor };
}

function middleOf(points: readonly Point[]): Point {
  const sum = points.reduce((total, { x, y }) => ({ x: total.x + x, y: total.y + y }), { x: 0, y: 0 });
  return { x: sum.x / points.length, y: sum.y / points.length };
}
