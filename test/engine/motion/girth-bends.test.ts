import { describe, expect, test } from 'vitest';
import { girthBends, type Look, turningOf } from '#src/engine/motion/girth-bends.js';
import { paintPlane } from '../../helpers/pictures.js';

const size = { width: 160, height: 120 };
const radius = 0.3;

/** A pillar with a pattern all around it, that has turned: its front to the right if `direction` is 1. */
function pillar(turn: number, direction: 1 | -1): Look {
  const across = (x: number) => ((x + 0.5) / size.width - 0.5) / radius;
  const isInside = (x: number, y: number) => Math.abs(across(x)) < 1 && y >= 20 && y < 100;
  return {
    alpha: paintPlane(size, (x, y) => Number(isInside(x, y))),
    grey: paintPlane(size, (x, y) => {
      if (!isInside(x, y)) return 230;
      const place = Math.asin(across(x)) - direction * turn;
      return 120 + 50 * Math.sin(5 * place + y / 9) + 40 * Math.cos(3 * place - y / 5);
    }),
  };
}

function views(count: number, direction: 1 | -1): Look[] {
  return Array.from({ length: count }, (_, view) => pillar((2 * Math.PI * view) / count, direction));
}

describe.each([1, -1] as const)('something whose front turns by direction %d', (direction) => {
  test.each([6, 7, 12])('is known as such from %d views', (count) => {
    expect(turningOf(views(count, direction)).direction).toBe(direction);
  });

  test('lies in both views where it has come from and where it goes to', () => {
    const turning = { ...turningOf(views(8, direction)), pitch: 0, perspective: 0 };
    const { one, next } = girthBends(turning, { index: 2, share: 0.5 });
    const half = Math.PI / 8;
    for (const place of [-0.7, 0, 0.4]) {
      const x = 0.5 + radius * Math.sin(place);
      const [before] = one(x, 0.5);
      const [after] = next(x, 0.5);
      expect(Math.abs(x + before - (0.5 + radius * Math.sin(place - direction * half)))).toBeLessThan(0.01);
      expect(Math.abs(x + after - (0.5 + radius * Math.sin(place + direction * half)))).toBeLessThan(0.01);
    }
  });

  test('is shown by the view that looks at it more straight on', () => {
    const { next } = girthBends(turningOf(views(8, direction)), { index: 0, share: 0.5 });
    // What comes in from behind was not seen before, and what goes there is not seen any more.
    expect(next(0.5 - direction * 0.28, 0.5)[2]).toBeGreaterThan(0.9);
    expect(next(0.5 + direction * 0.28, 0.5)[2]).toBeLessThan(0.1);
    expect(next(0.5, 0.5)[2]).toBeCloseTo(0.5, 1);
  });
});

test('bends nothing where a view is shown as it is, nor far from the thing', () => {
  const turning = turningOf(views(8, 1));
  const { one } = girthBends(turning, { index: 3, share: 0 });
  for (const [x, y] of [
    [0.4, 0.5],
    [0.62, 0.3],
  ] as const) {
    expect(Math.hypot(...one(x, y).slice(0, 2))).toBeLessThan(0.004);
  }
  const { next } = girthBends(turning, { index: 3, share: 0.5 });
  expect(next(0.02, 0.5).slice(0, 2)).toEqual([expect.closeTo(0, 9), expect.closeTo(0, 9)]);
});
