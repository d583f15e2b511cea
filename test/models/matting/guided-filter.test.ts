import { describe, expect, test } from 'vitest';
import type { Pixels, Plane } from '#src/engine/media/media.js';
import { alphaOfRows } from '#src/models/matting/alpha-rows.js';
import { resizePlane } from '#src/models/pixels/bilinear.js';
import { type AlphaFit, fitAlpha, guideSize } from '#src/models/matting/guided-filter.js';
import { noise, paint, paintPlane } from '../../helpers/pictures.js';

/** A dark blob on a bright ground, both textured, with an edge as sharp as pixels allow; and its true alpha 0..1. */
function scene(width: number, height: number): { picture: Pixels; truth: Plane } {
  const isInside = (x: number, y: number) => {
    const angle = Math.atan2(y - height / 2, x - width / 2);
    return Math.hypot(x - width / 2, y - height / 2) < Math.min(width, height) * (0.3 + 0.06 * Math.sin(7 * angle));
  };
  const texture = (x: number, y: number) => 12 * Math.sin(x / 3) * Math.cos(y / 4);
  const picture = paint({ width, height }, 3, (x, y) => {
    const base = isInside(x, y) ? [60, 40, 70] : [210, 200, 180];
    return base.map((value) => value + texture(x, y));
  });
  return { picture, truth: paintPlane({ width, height }, (x, y) => (isInside(x, y) ? 1 : 0)) };
}

function alphaOf(fit: AlphaFit, picture: Pixels): Uint8Array {
  return alphaOfRows(fit, picture)(picture, 0);
}

/** Mean absolute difference, 0..1. */
function error(alpha: Uint8Array, truth: Plane): number {
  return alpha.reduce((sum, value, at) => sum + Math.abs(value / 255 - (truth.data[at] as number)), 0) / alpha.length;
}

describe('fitAlpha and alphaOfRows', () => {
  test('bring a coarse matte to the edges of the picture', () => {
    const { picture, truth } = scene(480, 360);
    const coarse = resizePlane(truth, { width: 60, height: 60 });
    const stretched = resizePlane(coarse, picture).data.map((value) => Math.round(value * 255));
    const refined = error(alphaOf(fitAlpha(coarse, picture), picture), truth);
    expect(refined).toBeLessThan(0.002);
    expect(refined).toBeLessThan(error(Uint8Array.from(stretched), truth) / 8);
  });

  test('follow the full picture when the guide is a smaller one', () => {
    const { picture, truth } = scene(960, 720);
    const { picture: guide } = scene(480, 360);
    const coarse = resizePlane(truth, { width: 60, height: 60 });
    expect(error(alphaOf(fitAlpha(coarse, guide), picture), truth)).toBeLessThan(0.005);
  });

  test.each([
    [1, 255],
    [0, 0],
    [0.95, 255],
    [0.04, 0],
  ])('make a matte of %d everywhere exactly %d, whatever the picture', (value, alpha) => {
    const picture = noise({ width: 90, height: 70 }, 3);
    const matte = paintPlane({ width: 32, height: 32 }, () => value);
    expect(new Set(alphaOf(fitAlpha(matte, picture), picture))).toEqual(new Set([alpha]));
  });

  test.each([
    [1, 1],
    [1, 40],
    [40, 1],
    [2, 3],
    [7, 301],
  ])('take a picture of %d × %d', (width, height) => {
    const picture = noise({ width, height }, 3);
    const matte = paintPlane({ width: 32, height: 32 }, (x) => (x < 16 ? 0 : 1));
    const alpha = alphaOf(fitAlpha(matte, picture), picture);
    expect(alpha).toHaveLength(width * height);
  });

  test('are the least squares of every window, averaged over windows', () => {
    const guide = noise({ width: 13, height: 9 }, 3);
    const matte = paintPlane(guide, (x, y) => (x * y) / 100);
    const { coefficients } = fitAlpha(matte, guide);
    const expected = fitByHand(matte, guide, 2);
    for (const [at, value] of coefficients.entries()) expect(value).toBeCloseTo(expected[at] as number, 7);
  });

  test('give the same for the whole picture and for bands of it', () => {
    const { picture, truth } = scene(300, 200);
    const fit = fitAlpha(resizePlane(truth, { width: 48, height: 48 }), scene(150, 100).picture);
    const whole = alphaOf(fit, picture);
    const rowsOf = alphaOfRows(fit, picture);
    for (let top = 0; top < 200; top += 37) {
      const height = Math.min(37, 200 - top);
      const band = { ...picture, data: picture.data.subarray(top * 900, (top + height) * 900), height };
      expect(rowsOf(band, top)).toEqual(whole.subarray(top * 300, (top + height) * 300));
    }
  });

  test('ignore an alpha channel beside the colours', () => {
    const { picture, truth } = scene(120, 80);
    const fit = fitAlpha(resizePlane(truth, { width: 30, height: 30 }), picture);
    const rgba = paint(picture, 4, (x, y) => [...picture.data.subarray(3 * (y * 120 + x), 3 * (y * 120 + x) + 3), 9]);
    expect(alphaOf(fit, rgba)).toEqual(alphaOf(fit, picture));
  });
});

describe('guideSize', () => {
  test('leaves small pictures as they are and shrinks large ones to 320 pixels a side', () => {
    expect(guideSize({ width: 320, height: 300 })).toEqual({ width: 320, height: 300 });
    expect(guideSize({ width: 4000, height: 3000 })).toEqual({ width: 320, height: 240 });
    expect(guideSize({ width: 30_000, height: 1 })).toEqual({ width: 320, height: 1 });
  });
});

describe('resizePlane', () => {
  test('keeps a plane of the same size, and the ends of a ramp', () => {
    const ramp = paintPlane({ width: 5, height: 4 }, (x, y) => x + 10 * y);
    expect(resizePlane(ramp, ramp)).toBe(ramp);
    const large = resizePlane(ramp, { width: 50, height: 40 });
    expect(large.data[0]).toBe(0);
    expect(large.data.at(-1)).toBe(34);
    expect(resizePlane(large, ramp).data[6]).toBeCloseTo(11, 1);
  });
});

/** The filter word for word: for every window the normal equations by Gaussian elimination, then the mean of all windows. */
function fitByHand(matte: Plane, guide: Pixels, radius: number): number[] {
  const { width, height } = guide;
  const windowOf = (x: number, y: number) =>
    [...Array(width * height).keys()].filter(
      (at) => Math.abs((at % width) - x) <= radius && Math.abs(Math.floor(at / width) - y) <= radius,
    );
  const fits = [...Array(width * height).keys()].map((at) => {
    const pixels = windowOf(at % width, Math.floor(at / width));
    return leastSquares(
      pixels.map((pixel) => [...guide.data.subarray(3 * pixel, 3 * pixel + 3)]),
      pixels.map((pixel) => matte.data[pixel] as number),
    );
  });
  return [...Array(width * height).keys()].flatMap((at) => {
    const pixels = windowOf(at % width, Math.floor(at / width));
    return [0, 1, 2, 3].map(
      (index) => pixels.reduce((sum, pixel) => sum + (fits[pixel]?.[index] as number), 0) / pixels.length,
    );
  });
}

function leastSquares(colours: number[][], alphas: number[]): number[] {
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const means = [0, 1, 2].map((index) => mean(colours.map((colour) => colour[index] as number)));
  const alpha = mean(alphas);
  const rows = [0, 1, 2].map((i) => [
    ...[0, 1, 2].map(
      (j) =>
        mean(
          colours.map((c) => ((c[i] as number) - (means[i] as number)) * ((c[j] as number) - (means[j] as number))),
        ) + (i === j ? 2.55 ** 2 : 0),
    ),
    mean(colours.map((c, at) => ((c[i] as number) - (means[i] as number)) * ((alphas[at] as number) - alpha))),
  ]);
  for (let pivot = 0; pivot < 3; pivot++) {
    for (let row = 0; row < 3; row++) {
      if (row === pivot) continue;
      const factor = (rows[row]?.[pivot] as number) / (rows[pivot]?.[pivot] as number);
      rows[row] = (rows[row] as number[]).map((value, index) => value - factor * (rows[pivot]?.[index] as number));
    }
  }
  const factors = rows.map((row, index) => (row[3] as number) / (row[index] as number));
  return [...factors, alpha - factors.reduce((sum, factor, index) => sum + factor * (means[index] as number), 0)];
}
