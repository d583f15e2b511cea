import { describe, expect, test } from 'vitest';
import { fromHalf, toHalf } from '#src/models/files/half.js';

describe('half precision', () => {
  test('comes back as it was, for every half that there is', () => {
    const all = Uint16Array.from({ length: 65_536 }, (_, at) => at).filter((half) => (half & 0x7c00) !== 0x7c00);
    expect(toHalf(fromHalf(all))).toEqual(all);
  });

  test.each([
    [1, 0x3c00],
    [-2, 0xc000],
    [65_504, 0x7bff],
    [65_519.9, 0x7bff],
    [65_520, 0x7c00],
    [Number.NEGATIVE_INFINITY, 0xfc00],
    [2 ** -24, 1],
    [2 ** -25, 0],
    [3 * 2 ** -25, 2],
    [2 ** -14, 0x0400],
    [2 ** -14 - 2 ** -26, 0x0400],
    // Half way between 1 and what follows it, and between the two after that: the even one.
    [1 + 2 ** -11, 0x3c00],
    [1 + 3 * 2 ** -11, 0x3c02],
  ])('makes %d the nearest', (value, half) => {
    expect([...toHalf(Float32Array.of(value))]).toEqual([half]);
  });

  test('keeps what is no number', () => {
    expect([...fromHalf(toHalf(Float32Array.of(Number.NaN)))]).toEqual([Number.NaN]);
    expect([...fromHalf(Uint16Array.of(0x7c00, 0xfc00))]).toEqual([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]);
  });
});
