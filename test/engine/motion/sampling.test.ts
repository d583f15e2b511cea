import { describe, expect, test } from 'vitest';
import { doubled } from '#src/engine/motion/doubling.js';
import { createMesh, fillMesh } from '#src/engine/motion/mesh.js';
import { createPlane, type PaddedPlane, repeatBorder } from '#src/engine/motion/plane.js';
import { cover, mixIn, sample, type Target } from '#src/engine/motion/sampling.js';

function planeOf(width: number, height: number, value: (x: number, y: number) => number): PaddedPlane {
  const plane = createPlane({ width, height }, 8);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) plane.data[(y + 8) * plane.stride + x + 8] = value(x, y);
  }
  repeatBorder(plane);
  return plane;
}

/** Part of a plane of 64 × 48 as seen by a frame of the same size, moved and enlarged. */
function seen({ dx = 0, dy = 0, spacing = 1 }: { dx?: number; dy?: number; spacing?: 1 | 2 }) {
  const mesh = createMesh({ width: 64, height: 48 }, 16);
  fillMesh(mesh, (x, y, place) => {
    place[0] = (x + dx) / 64;
    place[1] = (y + dy) / 48;
  });
  const target: Target = {
    data: new Uint8Array((64 * 48) / spacing ** 2),
    width: 64 / spacing,
    height: 48 / spacing,
    spacing,
  };
  return { mesh, target };
}

const noise = planeOf(64, 48, (x, y) => (x * 73 + y * 151 + x * y * 7) % 256);
const slope = planeOf(64, 48, (x, y) => 2 * x + y);

describe('sample', () => {
  test('gives a plane back as it is where frame and plane agree', () => {
    const { mesh, target } = seen({});
    sample(noise, mesh, target);
    for (let y = 0; y < 48; y++) {
      const row = noise.data.subarray((y + 8) * noise.stride + 8, (y + 8) * noise.stride + 72);
      expect(target.data.subarray(y * 64, y * 64 + 64)).toEqual(row);
    }
  });

  test('moves by any fraction of a pixel', () => {
    const { mesh, target } = seen({ dx: 3.25, dy: 2.5 });
    sample(slope, mesh, target);
    for (const [x, y] of [
      [0, 0],
      [17, 30],
      [50, 40],
    ] as const) {
      expect(Math.abs((target.data[y * 64 + x] ?? 0) - (2 * (x + 3.25) + y + 2.5))).toBeLessThanOrEqual(0.5);
    }
  });

  test('lays chroma on the even columns and between the rows of luma', () => {
    const { mesh, target } = seen({ spacing: 2 });
    sample(slope, mesh, target);
    // The second sample of the second row: column 2, between rows 2 and 3.
    expect(target.data[32 + 1]).toBe(Math.round(2 * 2 + 2.5));
  });

  test('repeats the border where a frame sees past it', () => {
    const { mesh, target } = seen({ dx: -100, dy: -100 });
    sample(slope, mesh, target);
    expect([...new Set(target.data)]).toEqual([0]);
  });
});

test('mixIn adds a share of another plane', () => {
  const { mesh, target } = seen({});
  target.data.fill(100);
  mixIn(
    planeOf(64, 48, () => 200),
    mesh,
    { ...target, share: 0.25 },
  );
  expect([...new Set(target.data)]).toEqual([125]);
});

test('cover lays over what is there as much as alpha says, and nothing beyond the plane', () => {
  const { mesh, target } = seen({ dx: 16 });
  target.data.fill(100);
  const alpha = planeOf(64, 48, (x) => (x < 40 ? 255 : 0));
  const black = planeOf(64, 48, () => 0);
  black.data.fill(0);
  for (let row = 0; row < 64; row++) alpha.data.fill(0, row * alpha.stride + 72, (row + 1) * alpha.stride);
  cover(black, alpha, { mesh, target });
  expect([target.data[10], target.data[30], target.data[60]]).toEqual([0, 100, 100]);
});

describe('doubled', () => {
  test('keeps a slope straight, and what is flat flat', () => {
    const large = doubled(slope);
    const at = (x: number, y: number) => large.data[(y + 8) * large.stride + x + 8] ?? -1;
    expect([large.width, large.height]).toEqual([128, 96]);
    for (const [x, y] of [
      [20, 20],
      [61, 70],
      [100, 33],
    ] as const) {
      expect(Math.abs(at(x, y) - (2 * (x / 2 - 0.25) + y / 2 - 0.25))).toBeLessThanOrEqual(1);
    }
    expect([...new Set(doubled(planeOf(16, 16, () => 77)).data)]).toEqual([77]);
  });

  test('hits what lies between the samples of a wave of six pixels within two of 255', () => {
    const wave = (x: number) => 128 + 100 * Math.sin((2 * Math.PI * x) / 6);
    const large = doubled(planeOf(60, 12, (x) => Math.round(wave(x))));
    for (let x = 20; x < 100; x++) {
      const found = large.data[20 * large.stride + x + 8] ?? 0;
      expect(Math.abs(found - wave(x / 2 - 0.25))).toBeLessThan(2.5);
    }
  });
});
