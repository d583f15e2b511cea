import { describe, expect, test } from 'vitest';
import { lookUp, reliefOf } from '#src/engine/motion/relief.js';
import { paintPlane } from '../../helpers/pictures.js';

describe('reliefOf', () => {
  // A near box in the middle of something far.
  const nearness = paintPlane({ width: 120, height: 80 }, (x, y) => Number(x >= 40 && x < 80 && y >= 20 && y < 60));

  test('lays the focus into the plane of the picture, and what is far behind it', () => {
    const relief = reliefOf(nearness, { x: 0.5, y: 0.5 });
    expect(relief(0.5, 0.5)).toBeCloseTo(1, 6);
    expect(relief(0.05, 0.05)).toBeGreaterThan(1.3);
  });

  test('lays what is near in front of a focus that is far', () => {
    const relief = reliefOf(nearness, { x: 0.05, y: 0.05 });
    expect(relief(0.05, 0.05)).toBeCloseTo(1, 6);
    expect(relief(0.5, 0.5)).toBeLessThan(0.8);
  });

  test('keeps what is near whole: its outline is as near as its middle', () => {
    const relief = reliefOf(nearness, { x: 0.5, y: 0.5 });
    expect(relief(40.5 / 120, 0.5)).toBeLessThan(1.1);
  });

  test('goes on beyond the border of the picture', () => {
    const relief = reliefOf(nearness, { x: 0.5, y: 0.5 });
    expect(relief(-1, 2)).toBe(relief(0, 1));
  });
});

test('lookUp mixes neighbours and takes a plane of one value', () => {
  const plane = paintPlane({ width: 2, height: 1 }, (x) => x * 10);
  expect(lookUp(plane)(0.5, 0.5)).toBeCloseTo(5, 2);
  expect(lookUp(paintPlane({ width: 1, height: 1 }, () => 7))(0.3, 0.9)).toBe(7);
});
