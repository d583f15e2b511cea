import { describe, expect, test } from 'vitest';
import {
  addDoubled,
  blurColours,
  depthsOf,
  halveLayer,
  type Layer,
  lumaOf,
  toLayer,
} from '#src/models/filling/layer.js';
import { noise, paint } from '../../helpers/pictures.js';

function layerOf(width: number, height: number, isHole: (x: number, y: number) => boolean): Layer {
  const picture = paint({ width, height }, 3, (x, y) => [x, y, 7]);
  const marks = Uint8Array.from({ length: width * height }, (_, at) =>
    isHole(at % width, Math.floor(at / width)) ? 9 : 0,
  );
  return toLayer(picture, { data: marks, width, height, channels: 1 });
}

describe('halveLayer', () => {
  test('averages blocks, leaves odd ends out and takes a block with any hole for one', () => {
    const half = halveLayer(layerOf(5, 4, (x, y) => x === 2 && y === 3));
    expect(half).toMatchObject({ width: 2, height: 2 });
    expect([...half.hole]).toEqual([0, 0, 0, 1]);
    expect([...half.colours.subarray(9)]).toEqual([2.5, 2.5, 7]);
  });
});

describe('addDoubled', () => {
  test('adds in the hole only, centres on centres', () => {
    const layer = layerOf(4, 2, (x) => x > 0);
    const added = Float32Array.of(0, 0, 0, 4, 4, 4);
    const reds = addDoubled(layer, added, { width: 2, height: 1 }).filter((_, at) => at % 3 === 0);
    expect([...reds]).toEqual([0, 1 + 1, 2 + 3, 3 + 4, 0, 1 + 1, 2 + 3, 3 + 4]);
  });
});

describe('blurColours', () => {
  test('keeps a plain colour up to the borders', () => {
    const plain = new Float32Array(3 * 20 * 15).fill(80);
    for (const value of blurColours(plain, { width: 20, height: 15 }, 3.4)) expect(value).toBeCloseTo(80, 3);
  });

  test('takes the detail out of noise', () => {
    const { data } = noise({ width: 60, height: 60 }, 3);
    const spread = (values: Float32Array) => Math.max(...values) - Math.min(...values);
    const colours = Float32Array.from(data);
    expect(spread(blurColours(colours, { width: 60, height: 60 }, 3.4))).toBeLessThan(spread(colours) / 2);
  });
});

describe('lumaOf', () => {
  test('weighs the channels to one', () => {
    expect(lumaOf(Float32Array.of(100, 100, 100, 255, 0, 0))[0]).toBeCloseTo(100, 4);
  });
});

describe('depthsOf', () => {
  test.each([
    [0, () => false],
    [1, (x: number) => x === 9],
    [5, (x: number, y: number) => x >= 5 && x < 14 && y >= 3 && y < 20],
    [4, (x: number) => x < 4],
    [30, () => true],
  ])('is %d at most', (depth, isHole) => {
    expect(Math.max(...depthsOf(layerOf(30, 24, isHole)))).toBe(depth);
  });
});
