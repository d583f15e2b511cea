import { describe, expect, test } from 'vitest';
import type { Pixels } from '#src/engine/media/media.js';
import { type Box, findHoles, widen, windowAround } from '#src/models/filling/holes.js';

function maskOf(width: number, height: number, ...boxes: Box[]): Pixels {
  const data = new Uint8Array(width * height);
  for (const box of boxes) {
    for (let y = box.top; y < box.top + box.height; y++)
      data.fill(1, y * width + box.left, y * width + box.left + box.width);
  }
  return { data, width, height, channels: 1 };
}

describe('findHoles', () => {
  test('finds nothing in an empty mask', () => {
    expect(findHoles(maskOf(100, 50))).toEqual([]);
  });

  test('gives the exact box of each mark', () => {
    const marks = [
      { left: 3, top: 5, width: 200, height: 90 },
      { left: 390, top: 299, width: 10, height: 1 },
    ];
    expect(findHoles(maskOf(400, 300, ...marks))).toEqual(marks);
  });

  test('joins marks that lie close together, around corners too', () => {
    const marks = [
      { left: 10, top: 10, width: 10, height: 10 },
      { left: 40, top: 40, width: 5, height: 5 },
    ];
    expect(findHoles(maskOf(100, 100, ...marks))).toEqual([{ left: 10, top: 10, width: 35, height: 35 }]);
  });

  test('keeps marks apart that touch opposite borders of the picture', () => {
    const marks = [
      { left: 95, top: 0, width: 5, height: 5 },
      { left: 0, top: 34, width: 5, height: 5 },
    ];
    expect(findHoles(maskOf(100, 100, ...marks))).toHaveLength(2);
  });
});

describe('widen', () => {
  const limit = { width: 100, height: 60 };

  test('adds a margin as far as the picture goes', () => {
    expect(widen({ left: 5, top: 20, width: 10, height: 10 }, 8, limit)).toEqual({
      left: 0,
      top: 12,
      width: 23,
      height: 26,
    });
  });

  test('begins at a multiple of the granule', () => {
    expect(widen({ left: 45, top: 20, width: 50, height: 10 }, 3, limit, 8)).toEqual({
      left: 40,
      top: 16,
      width: 58,
      height: 17,
    });
  });
});

describe('windowAround', () => {
  const limit = { width: 100, height: 30 };
  const hole = { left: 40, top: 10, width: 10, height: 4 };

  test('has the hole in its middle, and ends where the picture does', () => {
    expect(windowAround(hole, 40, limit)).toEqual({ left: 25, top: 0, width: 40, height: 30 });
  });

  test.each([
    [0, 0],
    [90, 60],
  ])('is moved inwards at a border: a hole at %d', (left, start) => {
    expect(windowAround({ ...hole, left }, 40, limit)).toMatchObject({ left: start, width: 40 });
  });
});
