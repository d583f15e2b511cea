import { describe, expect, test } from 'vitest';
import { chromaOf, colourOf, greyOf, luminance } from '#src/models/colour/lab.js';

describe('CIE Lab', () => {
  test('of a grey has no colour, and its luminance leads back to it', () => {
    const chroma = new Float32Array(2);
    for (let level = 0; level < 256; level++) {
      chromaOf(level, level, level, chroma);
      expect(Math.hypot(...chroma)).toBeLessThan(0.01);
      expect(greyOf(luminance(level, level, level))).toBeCloseTo(level, 1);
    }
  });

  // From Lindbloom's calculator, sRGB and D65.
  test.each([
    [
      [255, 0, 0],
      [80.0925, 67.2032],
    ],
    [
      [0, 255, 0],
      [-86.1827, 83.1793],
    ],
    [
      [0, 0, 255],
      [79.1875, -107.8602],
    ],
    [
      [255, 255, 0],
      [-21.5537, 94.478],
    ],
  ])('of %j has a and b of %j', ([red = 0, green = 0, blue = 0], [a = 0, b = 0]) => {
    const chroma = new Float32Array(2);
    chromaOf(red, green, blue, chroma);
    expect(Math.abs((chroma[0] as number) - a)).toBeLessThan(0.05);
    expect(Math.abs((chroma[1] as number) - b)).toBeLessThan(0.05);
  });

  test('leads there and back for every colour', () => {
    const [chroma, back] = [new Float32Array(2), new Float32Array(3)];
    for (let at = 0; at < 4096; at++) {
      const [red, green, blue] = [at >> 8, (at >> 4) & 15, at & 15].map((part) => part * 17) as [
        number,
        number,
        number,
      ];
      chromaOf(red, green, blue, chroma);
      colourOf(luminance(red, green, blue), { a: chroma[0] as number, b: chroma[1] as number }, back);
      const off = Math.max(...[red, green, blue].map((value, channel) => Math.abs(value - (back[channel] as number))));
      if (off > 0.3) expect.fail(`${[red, green, blue]} came back as ${[...back]}`);
    }
  });
});
