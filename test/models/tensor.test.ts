import { expect, test } from 'vitest';
import { fromPlanes, levels, toPlanes } from '#src/models/tensor.js';
import { noise } from '../helpers/pictures.js';

test('toPlanes parts the channels and normalises each sample', () => {
  const pixels = { data: Uint8Array.of(0, 51, 102, 255, 204, 153), width: 2, height: 1, channels: 3 } as const;
  const planes = toPlanes(pixels, levels([0.5, 0, 0.2], [0.5, 1, 2]));
  expect([...planes].map((value) => Math.round(value * 1000))).toEqual([-1000, 1000, 200, 800, 100, 200]);
});

test('levels take another peak than 255', () => {
  expect(levels([0, 0, 0], [1, 1, 1], 200)[0][200]).toBe(1);
});

test('fromPlanes undoes toPlanes, rounds and clips', () => {
  const pixels = noise({ width: 9, height: 4 }, 3);
  expect(fromPlanes(toPlanes(pixels, levels([0, 0, 0], [1, 1, 1])), pixels)).toEqual(pixels);
  const outside = Float32Array.of(-0.2, 1.3, 0.5, Number.NaN, 0.999, 0);
  expect([...fromPlanes(outside, { width: 2, height: 1 }).data]).toEqual([0, 128, 255, 255, 0, 0]);
});
