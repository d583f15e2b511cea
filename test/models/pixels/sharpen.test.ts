import { expect, test } from 'vitest';
import { sharpening } from '#src/models/pixels/sharpen.js';
import { paint } from '../../helpers/pictures.js';

const size = { width: 40, height: 30 };
const edge = paint(size, 3, (x) => Array(3).fill(60 + 120 / (1 + Math.exp(-(x - 20.5) / 1.1))));

/** The largest step between two neighbours of a row. */
function steepest({ data, width }: typeof edge): number {
  let most = 0;
  for (let x = 1; x < width; x++)
    most = Math.max(most, Math.abs((data[3 * x] as number) - (data[3 * x - 3] as number)));
  return most;
}

test('an edge becomes steeper, without a halo', async () => {
  const sharp = await sharpening(0.8).upscale(edge);
  expect(steepest(sharp)).toBeGreaterThan(steepest(edge));
  expect(Math.max(...sharp.data)).toBeLessThanOrEqual(Math.max(...edge.data) + 2);
  expect(Math.min(...sharp.data)).toBeGreaterThanOrEqual(Math.min(...edge.data) - 2);
});

test('grain of a few levels stays what it is', async () => {
  const grain = paint(size, 3, (x, y) => Array(3).fill(120 + ((x * 7 + y * 5) % 3)));
  expect((await sharpening(1).upscale(grain)).data).toEqual(grain.data);
});
