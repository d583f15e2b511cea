import { expect, test } from 'vitest';
import { colourStatistics, transferColours } from '#src/models/colour/colour-transfer.js';
import { noise, paint } from '../../helpers/pictures.js';

const size = { width: 60, height: 40 };
const cold = paint(size, 3, (x, y) => [60 + x, 80 + y, 140 + ((x * y) % 40)]);
const warm = paint(size, 3, (x, y) => [190 + (x % 50), 120 + ((x + y) % 60), 50 + (y % 30)]);

test('a picture takes over the mean and the spread of the colours of another', () => {
  const rows = { ...cold, data: cold.data.slice() };
  const [from, to] = [colourStatistics(cold), colourStatistics(warm)];
  transferColours(rows, { from, to, strength: 1 });
  const found = colourStatistics(rows);
  for (const axis of [0, 1, 2] as const) {
    expect(Math.abs(found.mean[axis] - to.mean[axis])).toBeLessThan(0.02);
  }
});

test('nothing changes at a strength of 0, but for rounding, nor in alpha', () => {
  const picture = noise(size, 4);
  const rows = { ...picture, data: picture.data.slice() };
  transferColours(rows, { from: colourStatistics(picture), to: colourStatistics(warm), strength: 0 });
  for (const [at, value] of rows.data.entries()) expect(Math.abs(value - (picture.data[at] as number))).toBeLessThan(2);
});

test('a picture of one colour is moved and not torn apart', () => {
  const flat = paint(size, 3, () => [100, 100, 100]);
  transferColours(flat, { from: colourStatistics(flat), to: colourStatistics(warm), strength: 1 });
  expect(new Set(flat.data).size).toBeLessThanOrEqual(3);
});
