import { describe, expect, test } from 'vitest';
import {
  type Length,
  parseLength,
  parsePlace,
  parseRegion,
  parseSides,
  sidesInPixels,
} from '#src/engine/studio/lengths.js';

const zero: Length = { unit: 'px', value: 0 };
const none = [zero, zero, zero, zero] as const;
const limits = { px: 500, percent: 50 };

describe('lengths', () => {
  test('are pixels or shares, within limits', () => {
    expect(parseLength('30px', limits)).toEqual({ unit: 'px', value: 30 });
    expect(parseLength('30', limits)).toEqual({ unit: 'px', value: 30 });
    expect(parseLength('12.5%', limits)).toEqual({ unit: 'share', value: 0.125 });
    for (const text of ['', '-3px', '501', '51%', '3em', 'px']) expect(parseLength(text, limits)).toBeNull();
  });

  test('of sides come as one, two or four, as in CSS', () => {
    const pixels = (text: string) => sidesInPixels(parseSides(text, limits) ?? none, { width: 200, height: 100 });
    expect(pixels('10%')).toEqual([10, 20, 10, 20]);
    expect(pixels('5px 10%')).toEqual([5, 20, 5, 20]);
    expect(pixels('1, 2, 3, 4')).toEqual([1, 2, 3, 4]);
    for (const text of ['', '1 2 3', '1 2 3 4 5', '1 x']) expect(parseSides(text, limits)).toBeNull();
  });

  test('of a place are one or two shares', () => {
    expect(parsePlace('25%')).toEqual({ x: 0.25, y: 0.25 });
    expect(parsePlace('0% 100%')).toEqual({ x: 0, y: 1 });
    for (const text of ['', '5px', '101%', '1% 2% 3%', 'middle']) expect(parsePlace(text)).toBeNull();
  });

  test('of a region are left, top, right and bottom', () => {
    const region = parseRegion('10% 20px 90% 80px', { px: 1000 }) ?? none;
    expect(sidesInPixels(region, { width: 100, height: 100 })).toEqual([20, 90, 80, 10]);
    for (const text of ['', '1 2 3', '50% 0 50% 10', '0 9px 10 9px', '0 0 101% 1']) {
      expect(parseRegion(text, { px: 1000 })).toBeNull();
    }
  });
});
