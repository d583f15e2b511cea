import { describe, expect, test } from 'vitest';
import { double, halve, membrane, openHole } from '#src/models/filling/membrane.js';
import { noise, paint } from '../../helpers/pictures.js';

const size = { width: 64, height: 48 };

function middleOf(picture: { width: number; height: number }, margin = 10) {
  const isInside = (at: number, length: number) => at >= margin && at < length - margin;
  const data = Uint8Array.from({ length: picture.width * picture.height }, (_, at) => {
    const [x, y] = [at % picture.width, Math.floor(at / picture.width)];
    return isInside(x, picture.width) && isInside(y, picture.height) ? 255 : 0;
  });
  return { data, width: picture.width, height: picture.height, channels: 1 as const };
}

describe('openHole', () => {
  test('rounds the sides up with unknown pixels and forgets the colours of the hole', () => {
    const crop = noise({ width: 5, height: 3 }, 3);
    const mask = { data: new Uint8Array(15).fill(255, 0, 1), width: 5, height: 3, channels: 1 as const };
    const holed = openHole(crop, mask, 4);
    expect(holed).toMatchObject({ width: 8, height: 4 });
    expect([...holed.unknown.subarray(0, 8)]).toEqual([1, 0, 0, 0, 0, 1, 1, 1]);
    expect(holed.colours[0]).toBe(0);
    expect(holed.colours[1]).toBeCloseTo((crop.data[3] as number) / 255, 6);
  });
});

describe('halve', () => {
  test('averages what is known of each block and tells how much is not', () => {
    const unknown = Float32Array.of(1, 0, 0.5, 0, 1, 1, 1, 1);
    const colours = Float32Array.from({ length: 24 }, (_, at) => at % 8);
    const half = halve({ colours, unknown, width: 4, height: 2 });
    expect([...half.unknown]).toEqual([0.75, 0.625]);
    expect(half.colours[0]).toBe(1);
    expect(half.colours[1]).toBeCloseTo((0.5 * 2 + 3) / 1.5, 6);
  });
});

describe('double', () => {
  test('goes on linearly between centres and stays within its rows and planes', () => {
    const large = double(Float32Array.of(0, 4, 8, 8, 100, 100, 100, 100), { width: 2, height: 2 });
    expect([...large.subarray(0, 4)]).toEqual([0, 1, 3, 4]);
    expect([...large.subarray(4, 8)]).toEqual([2, 2.75, 4.25, 5]);
    expect([...large.subarray(16)]).toEqual(Array(16).fill(100));
  });
});

describe('membrane', () => {
  test('continues a gradient, which is its own smoothest fill', () => {
    const picture = paint(size, 3, (x, y) => [2 * x, 3 * y, x + y]);
    const filled = membrane(openHole(picture, middleOf(picture), 1));
    const errors = picture.data.map((value, at) => {
      const plane = (at % 3) * size.width * size.height;
      return Math.abs(value - 255 * (filled[plane + Math.floor(at / 3)] as number));
    });
    expect(Math.max(...errors)).toBeLessThan(3);
  });

  test.each([
    [1, 1],
    [1, 37],
    [33, 5],
  ])('keeps what is known of %d × %d pixels', (width, height) => {
    const holed = openHole(noise({ width, height }, 3), middleOf({ width, height }, 1), 1);
    const filled = membrane(holed);
    const kept = filled.every((value, at) => {
      return (holed.unknown[at % (width * height)] as number) > 0 || value === holed.colours[at];
    });
    expect(kept).toBe(true);
  });
});
