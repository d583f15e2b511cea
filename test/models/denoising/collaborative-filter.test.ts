import { describe, expect, test } from 'vitest';
import type { Pixels } from '#src/engine/media/media.js';
import { CollaborativeFilter } from '#src/models/denoising/collaborative-filter.js';
import { joinRows, paint, psnr } from '../../helpers/pictures.js';
import { random } from '../../helpers/tiny-models.js';

const sigma = 25;
const size = { width: 91, height: 102 };

/** Stripes that repeat, a slope, and white. */
const clean = paint(size, 3, (x, y) => {
  if (y > 80) return [255, 255, 255];
  const stripe = x < 50 ? 40 * Math.sin(x * 0.9 + y * 0.5) : 0;
  return [110 + stripe, 100 + x / 2 + stripe, 90 + stripe];
});

function withNoise(picture: Pixels, deviation: number): Pixels {
  const next = random(3);
  const gauss = () => Math.sqrt(-2 * Math.log((next() + 1) / 2 + 1e-9)) * Math.cos(Math.PI * next());
  const data = Uint8ClampedArray.from(picture.data, (value) => value + deviation * gauss());
  return { ...picture, data: new Uint8Array(data.buffer) };
}

/** What a network might give: half of the contrast of the stripes is lost, and some noise is left. */
const pilot = withNoise(
  paint(size, 3, (x, y) => {
    const at = 3 * (y * size.width + x);
    const flat = [110, 100 + x / 2, 90];
    return y > 80 ? [250, 250, 250] : flat.map((value, colour) => (value + (clean.data[at + colour] as number)) / 2);
  }),
  4,
);

function rowsOf({ data, width, channels }: Pixels, from: number, to: number): Pixels {
  return { data: data.slice(from * width * channels, to * width * channels), width, height: to - from, channels };
}

function filter(noisy: Pixels, known: Pixels, rowsAtATime = known.height) {
  const { width, height } = known;
  const channels = known.channels as 3 | 4;
  const filter = new CollaborativeFilter({ width, height, channels, sigma });
  const bands: Pixels[] = [];
  for (let from = 0; from < height; from += rowsAtATime) {
    const to = Math.min(height, from + rowsAtATime);
    bands.push(...filter.take(rowsOf(noisy, from, to), rowsOf(known, from, to)));
  }
  return joinRows(bands.filter((band) => band.height > 0));
}

const noisy = withNoise(clean, sigma);

describe('CollaborativeFilter', () => {
  test('comes nearer to the truth than the pilot, far nearer than the noise', () => {
    const { data, ...found } = filter(noisy, pilot);
    expect(found).toEqual({ ...size, channels: 3 });
    expect(psnr(data, clean.data)).toBeGreaterThan(psnr(pilot.data, clean.data) + 2);
    expect(psnr(data, clean.data)).toBeGreaterThan(psnr(noisy.data, clean.data) + 10);
  });

  test.each([1, 7, 50])('gives the same whether it gets %d rows at a time or all', (rows) => {
    expect(filter(noisy, pilot, rows).data).toEqual(filter(noisy, pilot).data);
  });

  test('does not make white grey, though noise was cut off there', () => {
    const { data } = filter(noisy, pilot);
    const white = data.subarray(3 * size.width * 90);
    expect(white.reduce((sum, value) => sum + value, 0) / white.length).toBeGreaterThan(250);
  });

  test('keeps transparency, and the pilot below it', () => {
    const colours = ({ data }: Pixels, x: number, y: number) => [
      ...data.subarray(3 * (y * size.width + x), 3 * (y * size.width + x) + 3),
    ];
    const clear = (picture: Pixels) => paint(size, 4, (x, y) => [...colours(picture, x, y), x < 60 ? 255 : y]);
    const garbage = paint(size, 4, (x, y) => (x < 60 ? [...colours(noisy, x, y), 255] : [255, 0, 255, y]));
    const found = filter(garbage, clear(pilot));
    const opaque = paint(size, 3, (x, y) => [
      ...found.data.subarray(4 * (y * size.width + x), 4 * (y * size.width + x) + 3),
    ]);
    expect(found.data.filter((_, at) => at % 4 === 3)).toEqual(clear(pilot).data.filter((_, at) => at % 4 === 3));
    // Of the magenta nothing comes through.
    expect(psnr(opaque.data, clean.data)).toBeGreaterThan(psnr(pilot.data, clean.data));
  });

  test.each([
    [8, 8],
    [9, 30],
    [30, 8],
    [33, 13],
  ])('fills every pixel of %d × %d', (width, height) => {
    const grey = paint({ width, height }, 3, () => [120, 121, 122]);
    const { data } = filter(grey, grey);
    expect(data).toEqual(grey.data);
  });

  test('leaves pictures that are smaller than a patch to the pilot', () => {
    const [small, known] = [
      paint({ width: 7, height: 20 }, 3, () => [9, 9, 9]),
      paint({ width: 7, height: 20 }, 3, () => [30, 20, 10]),
    ];
    expect(filter(small, known).data).toEqual(known.data);
  });
});
