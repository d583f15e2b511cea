import { describe, expect, test } from 'vitest';
import { fitSimilarity, inverse, moved, scaled, scaleOf } from '#src/models/faces/similarity.js';

const points = [
  { x: 10, y: 20 },
  { x: 40, y: 25 },
  { x: 22, y: 60 },
  { x: -5, y: 33 },
];
const turn = { a: 2 * Math.cos(0.7), b: 2 * Math.sin(0.7), dx: 31, dy: -12 };

describe('fitSimilarity', () => {
  test('finds turn, scale and shift of points that were moved by one', () => {
    const goals = points.map((point) => moved(turn, point));
    const found = fitSimilarity(points, goals);
    for (const key of ['a', 'b', 'dx', 'dy'] as const) expect(found[key]).toBeCloseTo(turn[key], 10);
    expect(scaleOf(found)).toBeCloseTo(2, 10);
  });

  test('never mirrors, and leaves less error than any similarity near to it', () => {
    const goals = points.map(({ x, y }, at) => ({ x: -x + at, y: y + (at % 2) * 3 }));
    const found = fitSimilarity(points, goals);
    const error = (candidate: typeof found) =>
      points.reduce((sum, point, at) => {
        const { x, y } = moved(candidate, point);
        return sum + (x - (goals[at]?.x ?? 0)) ** 2 + (y - (goals[at]?.y ?? 0)) ** 2;
      }, 0);
    for (const key of ['a', 'b', 'dx', 'dy'] as const) {
      for (const step of [-0.01, 0.01])
        expect(error({ ...found, [key]: found[key] + step })).toBeGreaterThan(error(found));
    }
  });

  test('of points that are all the same gives no number', () => {
    const same = points.map(() => ({ x: 1, y: 1 }));
    expect(scaleOf(fitSimilarity(same, points))).toBeNaN();
  });
});

test('inverse leads back, and scaled goes further by its factor', () => {
  for (const point of points) {
    const back = moved(inverse(turn), moved(turn, point));
    expect(back.x).toBeCloseTo(point.x, 10);
    expect(back.y).toBeCloseTo(point.y, 10);
    expect(moved(scaled(turn, 3), point).x).toBeCloseTo(3 * moved(turn, point).x, 10);
  }
});
