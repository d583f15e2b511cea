import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import type { Pixels } from '#src/engine/media/media.js';
import { closedFormAlpha } from '#src/models/matting/closed-form.js';
import { mattingLaplacian } from '#src/models/matting/matting-laplacian.js';
import { type Trimap, trimapOfGrey } from '#src/models/matting/trimap.js';
import { noise, paint } from '../../helpers/pictures.js';
import { sharedFiles } from '../../helpers/shared.js';

const epsilon = 1e-3;

/** The matrix word for word: for every window and every two of its pixels, equation 23 of the paper. */
function laplacianByHand({ data, width, height }: Pixels): number[][] {
  const matrix = Array.from({ length: width * height }, () => new Array<number>(width * height).fill(0));
  for (let y = 1; y < height - 1; y++) {
    for (let x = 1; x < width - 1; x++) {
      const window = [-1, 0, 1].flatMap((dy) => [-1, 0, 1].map((dx) => (y + dy) * width + x + dx));
      const colours = window.map((at) => [0, 1, 2].map((channel) => (data[3 * at + channel] as number) / 255));
      const mean = [0, 1, 2].map((c) => colours.reduce((sum, colour) => sum + (colour[c] as number), 0) / 9);
      const off = colours.map((colour) => colour.map((value, c) => value - (mean[c] as number)));
      const covariance = [0, 1, 2].map((i) =>
        [0, 1, 2].map(
          (j) => off.reduce((sum, o) => sum + (o[i] as number) * (o[j] as number), 0) / 9 + (i === j ? epsilon / 9 : 0),
        ),
      );
      for (const [i, row] of window.entries()) {
        const weights = solve(covariance, off[i] as number[]);
        for (const [j, column] of window.entries()) {
          const tie = weights.reduce((sum, weight, c) => sum + weight * ((off[j] as number[])[c] as number), 0);
          const entries = matrix[row] as number[];
          entries[column] = (entries[column] as number) + (i === j ? 1 : 0) - (1 + tie) / 9;
        }
      }
    }
  }
  return matrix;
}

/** Gaussian elimination with pivots. */
function solve(matrix: number[][], right: number[]): number[] {
  const rows = matrix.map((row, at) => [...row, right[at] as number]);
  for (let pivot = 0; pivot < rows.length; pivot++) {
    const best = rows
      .slice(pivot)
      .reduce((a, b) => (Math.abs(a[pivot] as number) >= Math.abs(b[pivot] as number) ? a : b));
    const other = rows.indexOf(best, pivot);
    [rows[pivot], rows[other]] = [best, rows[pivot] as number[]];
    for (const [at, row] of rows.entries()) {
      if (at === pivot) continue;
      const factor = (row[pivot] as number) / (best[pivot] as number);
      rows[at] = row.map((value, column) => value - factor * (best[column] as number));
    }
  }
  return rows.map((row, at) => (row.at(-1) as number) / (row[at] as number));
}

/** Unknown in the middle, kept on the left, removed on the right. */
function bands(width: number, height: number): Trimap {
  const data = Uint8Array.from(
    { length: width * height },
    (_, at) => [255, 128, 0][Math.floor((3 * (at % width)) / width)] as number,
  );
  return { data, width, height };
}

describe('mattingLaplacian', () => {
  test('multiplies as the matrix of the paper does', () => {
    const picture = noise({ width: 7, height: 6 }, 3);
    const { unknown, diagonal, multiply } = mattingLaplacian(picture, (at) => at % 3 !== 0, epsilon);
    const matrix = laplacianByHand(picture);
    const values = Float64Array.from({ length: 42 }, (_, at) => Math.sin(at));
    const product = new Float64Array(42).fill(7);
    multiply(values, product);
    expect([...unknown]).toEqual([...Array(42).keys()].filter((at) => at % 3 !== 0));
    for (const [index, at] of unknown.entries()) {
      const row = matrix[at] as number[];
      expect(product[at]).toBeCloseTo(
        row.reduce((sum, entry, column) => sum + entry * (values[column] as number), 0),
        9,
      );
      expect(diagonal[index]).toBeCloseTo(row[at] as number, 9);
    }
  });
});

describe('closedFormAlpha', () => {
  test('is the solution of the equations, where it lies within 0 and 1', () => {
    const picture = paint({ width: 9, height: 6 }, 3, (x, y) => [30 * x + 3 * y, 200 - 9 * x, 40 + ((x * y * 7) % 30)]);
    const trimap = bands(9, 6);
    const { data } = closedFormAlpha(picture, trimap, { epsilon, tolerance: 1e-10, maxSteps: 500 });
    const matrix = laplacianByHand(picture);
    const unknown = [...trimap.data.keys()].filter((at) => trimap.data[at] === 128);
    const right = unknown.map(
      (at) => -trimap.data.reduce((sum, s, known) => sum + (s === 255 ? (matrix[at]?.[known] as number) : 0), 0),
    );
    const expected = solve(
      unknown.map((at) => unknown.map((column) => matrix[at]?.[column] as number)),
      right,
    );
    for (const [index, at] of unknown.entries()) {
      expect(data[at]).toBeCloseTo(Math.min(1, Math.max(0, expected[index] as number)), 5);
    }
  });

  test('leaves what is known as it is', () => {
    const trimap = bands(40, 30);
    const { data } = closedFormAlpha(noise({ width: 40, height: 30 }, 3), trimap);
    for (const [at, state] of trimap.data.entries()) if (state !== 128) expect(data[at]).toBe(state / 255);
    for (const value of data) expect(value >= 0 && value <= 1).toBe(true);
  });

  test('finds a soft edge between two colours, on several sizes', () => {
    const truth = (x: number) => Math.min(1, Math.max(0, (175 - x) / 30));
    const picture = paint({ width: 320, height: 60 }, 3, (x) => [200 * truth(x) + 20, 40, 230 - 200 * truth(x)]);
    const state = (x: number) => (x < 130 ? 255 : x < 190 ? 128 : 0);
    const known = Uint8Array.from({ length: 320 * 60 }, (_, at) => state(at % 320));
    const { data } = closedFormAlpha(picture, { data: known, width: 320, height: 60 });
    for (let at = 320 * 30; at < 320 * 31; at++)
      expect(Math.abs((data[at] as number) - truth(at % 320))).toBeLessThan(0.03);
  });

  test.each([
    [1, 1],
    [2, 9],
    [3, 3],
    [200, 5],
  ])('takes a picture of %d × %d', (width, height) => {
    const trimap = { data: new Uint8Array(width * height).fill(128), width, height };
    const { data } = closedFormAlpha(noise({ width, height }, 3), trimap);
    for (const value of data) expect(value >= 0 && value <= 1).toBe(true);
  });

  test('stops where it is told to', () => {
    const stop = new Error('Enough');
    const onStep = () => {
      throw stop;
    };
    expect(() => closedFormAlpha(noise({ width: 40, height: 30 }, 3), bands(40, 30), { onStep })).toThrow(stop);
  });

  test('comes within 2 % of a measured alpha of fur', async (context) => {
    const files = sharedFiles('images/matting', '.png');
    if (files.length === 0) return context.skip('needs ../shared/images/matting');
    const { picture, alpha, trimap } = await fur(files);
    const { data } = closedFormAlpha(picture, trimap);
    const unknown = [...trimap.data.keys()].filter((at) => trimap.data[at] === 128);
    const error = unknown.reduce((sum, at) => sum + Math.abs((data[at] as number) - (alpha[at] as number) / 255), 0);
    expect(unknown.length).toBeGreaterThan(5_000);
    expect(error / unknown.length).toBeLessThan(0.02);
  });
});

async function fur(files: string[]) {
  const raw = async (name: string, channels: 1 | 3) => {
    const path = files.find((file) => file.endsWith(name));
    const small = sharp(path).removeAlpha().resize(340, 220);
    return new Uint8Array(
      await small
        .toColourspace(channels === 1 ? 'b-w' : 'srgb')
        .raw()
        .toBuffer(),
    );
  };
  const size = { width: 340, height: 220 };
  const picture: Pixels = { data: await raw('lemur.png', 3), ...size, channels: 3 };
  const trimap = trimapOfGrey(await raw('lemur_trimap.png', 1), size);
  return { picture, trimap, alpha: await raw('lemur_alpha.png', 1) };
}
