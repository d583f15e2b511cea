import { describe, expect, test } from 'vitest';
import {
  type Contour,
  contourOf,
  type Girth,
  girthOf,
  girthRows,
  outlineOf,
  surfaceAt,
} from '#src/engine/motion/girth.js';
import { paintPlane } from '../../helpers/pictures.js';

const size = { width: 400, height: 64 };
const axis = 0.45;

/** The outlines of an elliptic pillar, with rows 16 to 47 of 64, in views all around it. */
function pillar(views: number, [wide, deep]: readonly [number, number]) {
  return Array.from({ length: views }, (_, view) => {
    const turn = (2 * Math.PI * view) / views;
    const reach = Math.hypot(wide * Math.cos(turn), deep * Math.sin(turn));
    const inside = (x: number, y: number) => Math.abs((x + 0.5) / 400 - axis) < reach && y >= 16 && y < 48;
    return outlineOf(paintPlane(size, (x, y) => Number(inside(x, y))));
  });
}

function rowOf({ rows }: Girth, row: number): Contour {
  const support = rows[row];
  if (!support) throw new Error(`Nothing in row ${row}`);
  return support;
}

test('outlineOf tells where something begins and ends, as far into a pixel as it is covered', () => {
  const { left, right } = outlineOf(
    paintPlane({ width: 10, height: 64 }, (x) => [0, 0, 0.25, 1, 1, 1, 0.5, 0, 0, 0][x] ?? 0),
  );
  expect([left[20], right[20]]).toEqual([expect.closeTo(0.275), expect.closeTo(0.65)]);
  expect(outlineOf(paintPlane({ width: 10, height: 64 }, () => 0)).left).toEqual(
    new Float32Array(girthRows).fill(Number.NaN),
  );
});

describe.each([8, 9, 12])('girthOf %d views', (views) => {
  test('finds the axis, and the rows where something is', () => {
    const girth = girthOf(pillar(views, [0.2, 0.1]), 1);
    expect(girth.axis).toBeCloseTo(axis, 2);
    expect(girth.rows.map((row) => row !== null).indexOf(true)).toBe(16);
    expect(girth.rows.filter((row) => row !== null)).toHaveLength(32);
  });

  test('tells the surface of something round wherever it is looked at', () => {
    const support = rowOf(girthOf(pillar(views, [0.2, 0.2]), 1), 30);
    for (const turn of [0, 0.3, 2.1]) {
      for (const away of [0.2, 1.1, 2.5]) {
        const { x, near, facing } = surfaceAt(support, turn + away, { turn, perspective: 0 });
        expect(Math.hypot(x - 0.2 * Math.cos(away), near - 0.2 * Math.sin(away))).toBeLessThan(0.006);
        expect(facing).toBeCloseTo(Math.sin(away), 9);
      }
    }
  });
});

test('a surface is as wide between two views as something that has both their outlines', () => {
  const support = rowOf(girthOf(pillar(12, [0.2, 0.1]), 1), 30);
  const turn = Math.PI / 12;
  const wanted = Math.hypot(0.2 * Math.cos(turn), 0.1 * Math.sin(turn));
  expect(surfaceAt(support, turn, { turn, perspective: 0 }).x).toBeCloseTo(wanted, 2);
});

test('what is nearer looks larger in perspective', () => {
  const support = contourOf(new Float32Array(8).fill(0.2));
  const at = (perspective: number) => surfaceAt(support, 1, { turn: 0, perspective }).x;
  expect(at(0.5)).toBeCloseTo(at(0) * (1 + 0.5 * 0.2 * Math.sin(1)), 4);
});

test('what sticks out in one view makes the thing no wider in others', () => {
  const support = contourOf(Float32Array.from([0.3, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2]));
  for (let turn = 1; turn < 5.4; turn += 0.1) {
    expect(surfaceAt(support, turn, { turn, perspective: 0 }).x).toBeCloseTo(0.2, 3);
  }
});

test('a contour goes around once, whatever sticks out and however outlines err', () => {
  const support = Float32Array.from({ length: 22 }, (_, at) => (at === 3 ? 0.35 : 0.2) + (at % 2 ? 0.01 : -0.01));
  const contour = contourOf(support);
  for (const turn of [0, 0.8, 2, 4]) {
    const xs = Array.from({ length: 40 }, (_, at) => {
      return surfaceAt(contour, turn + (Math.PI * at) / 39, { turn, perspective: 0 }).x;
    });
    expect(xs.every((x, at) => at === 0 || x <= (xs[at - 1] ?? 0) + 1e-3)).toBe(true);
  }
});
