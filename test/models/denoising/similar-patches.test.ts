import { describe, expect, test } from 'vitest';
import { groupSize, PatchFinder, patch, reach } from '#src/models/denoising/similar-patches.js';
import { random } from '../../helpers/tiny-models.js';

const [width, height] = [48, 40];

function found(data: Float32Array, { left, top }: { left: number; top: number }): [number, number][] {
  const finder = new PatchFinder(Int32Array.from([left]), width);
  finder.find({ data, width, height: data.length / width }, top);
  return [...finder.places].map((place) => [place % width, Math.floor(place / width)]);
}

function plane(value: (x: number, y: number) => number, rows = height): Float32Array {
  return Float32Array.from({ length: width * rows }, (_, at) => value(at % width, Math.floor(at / width)));
}

describe('PatchFinder', () => {
  test('finds what repeats, the patch itself first', () => {
    const next = random(2);
    const tile = Array.from({ length: 16 }, () => 100 * next());
    const groups = found(
      plane((x, y) => tile[(y % 4) * 4 + (x % 4)] as number),
      { left: 16, top: 12 },
    );
    expect(groups[0]).toEqual([16, 12]);
    for (const [x, y] of groups) expect([x % 4, y % 4]).toEqual([0, 0]);
    expect(new Set(groups.map(String)).size).toBe(groupSize);
  });

  test('stays within its reach and inside of the picture', () => {
    const next = random(3);
    const noise = plane(() => next());
    for (const [left, top] of [
      [0, 0],
      [width - patch, height - patch],
      [20, 16],
    ] as const) {
      for (const [x, y] of found(noise, { left, top })) {
        expect(Math.max(Math.abs(x - left), Math.abs(y - top))).toBeLessThanOrEqual(reach);
        expect(x).toBeLessThanOrEqual(width - patch);
        expect(y).toBeLessThanOrEqual(height - patch);
        expect(Math.min(x, y)).toBeGreaterThanOrEqual(0);
      }
    }
  });

  test('repeats the patch where there are too few others', () => {
    const groups = found(
      plane((x) => x * x, patch),
      { left: 0, top: 0 },
    );
    expect(groups).toHaveLength(groupSize);
    const narrow = new PatchFinder(Int32Array.from([0]), patch);
    narrow.find({ data: new Float32Array(patch * patch), width: patch, height: patch }, 0);
    expect([...narrow.places]).toEqual(Array(groupSize).fill(0));
  });
});
