import { describe, expect, test } from 'vitest';
import type { Pixels } from '#src/engine/media/media.js';
import { separateLayers } from '#src/models/matting/colour-layers.js';
import { foregroundOfRows } from '#src/models/matting/foreground.js';
import { paint } from '../../helpers/pictures.js';

const red = [200, 30, 40] as const;
const wall = [90, 220, 180] as const;

/** Red on the left, wall on the right, between them a soft edge in which each pixel shows some of both. */
function softEdge(width: number, height: number): { picture: Pixels; alpha: Uint8Array } {
  const alphaAt = (x: number) => Math.round(255 * Math.min(1, Math.max(0, 0.5 - (x - width / 2) / (width / 16))));
  const picture = paint({ width, height }, 3, (x) => {
    const alpha = alphaAt(x) / 255;
    return red.map((value, channel) => value * alpha + (wall[channel] as number) * (1 - alpha));
  });
  return { picture, alpha: Uint8Array.from({ length: width * height }, (_, at) => alphaAt(at % width)) };
}

function withAlpha({ data, width, height }: Pixels, alpha: Uint8Array): Pixels {
  return paint({ width, height }, 4, (x, y) => [
    ...data.subarray(3 * (y * width + x), 3 * (y * width + x) + 3),
    alpha[y * width + x] as number,
  ]);
}

/** Largest difference of a visible pixel from red. */
function stain({ data }: Pixels): number {
  let worst = 0;
  for (let at = 0; at < data.length; at += 4) {
    if (data[at + 3] === 0) continue;
    for (const [channel, value] of red.entries())
      worst = Math.max(worst, Math.abs((data[at + channel] as number) - value));
  }
  return worst;
}

describe('separateLayers and foregroundOfRows', () => {
  test.each([1, 4])('take the wall out of a soft edge when the picture is %d times the guide', (factor) => {
    const { picture: guide, alpha: guideAlpha } = softEdge(96, 40);
    const { picture, alpha } = softEdge(96 * factor, 40 * factor);
    const rows = withAlpha(picture, alpha);
    expect(stain(rows)).toBeGreaterThan(100);
    foregroundOfRows(separateLayers(guide, guideAlpha), picture)(rows, 0);
    expect(stain(rows)).toBeLessThan(12);
  });

  test('leave alpha, and the colours of what is wholly kept or removed, as they are', () => {
    const { picture, alpha } = softEdge(96, 20);
    const rows = withAlpha(picture, alpha);
    const before = rows.data.slice();
    foregroundOfRows(separateLayers(picture, alpha), picture)(rows, 0);
    for (let at = 0; at < alpha.length; at++) {
      expect(rows.data[4 * at + 3]).toBe(before[4 * at + 3]);
      if (alpha[at] !== 0 && alpha[at] !== 255) continue;
      expect(rows.data.subarray(4 * at, 4 * at + 3)).toEqual(before.subarray(4 * at, 4 * at + 3));
    }
  });

  test('give the same for the whole picture and for bands of it', () => {
    const { picture, alpha } = softEdge(160, 90);
    const guide = softEdge(80, 45);
    const clean = foregroundOfRows(separateLayers(guide.picture, guide.alpha), picture);
    const whole = withAlpha(picture, alpha);
    const banded = withAlpha(picture, alpha);
    clean(whole, 0);
    for (let top = 0; top < 90; top += 25) {
      const height = Math.min(25, 90 - top);
      clean({ ...banded, data: banded.data.subarray(4 * 160 * top, 4 * 160 * (top + height)), height }, top);
    }
    expect(banded.data).toEqual(whole.data);
  });

  test('take the mean of the picture for what is not in it', () => {
    const { picture } = softEdge(40, 10);
    for (const level of [0, 255]) {
      const { data } = separateLayers(picture, new Uint8Array(400).fill(level));
      const missing = level === 0 ? 0 : 3;
      for (const at of [0, 399]) {
        for (const channel of [0, 1, 2]) {
          const mean = ((red[channel] as number) + (wall[channel] as number)) / 2;
          expect(Math.abs((data[6 * at + missing + channel] as number) - mean)).toBeLessThan(12);
          const own = picture.data[3 * at + channel] as number;
          expect(Math.abs((data[6 * at + 3 - missing + channel] as number) - own)).toBeLessThan(12);
        }
      }
    }
  });
});
