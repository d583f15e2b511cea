import { describe, expect, test } from 'vitest';
import { trimapOfAlpha, trimapOfGrey } from '#src/models/matting/trimap.js';

const size = { width: 30, height: 20 };

/** Alpha that is 255 in the columns from 10 on. */
const half = Uint8Array.from({ length: 600 }, (_, at) => (at % 30 >= 10 ? 255 : 0));

/** The states along a row, as words of one letter. */
function row(data: Uint8Array, y: number): string {
  return [...data.subarray(30 * y, 30 * (y + 1))]
    .map((state) => (state === 255 ? 'k' : state === 0 ? 'r' : '?'))
    .join('');
}

describe('trimapOfAlpha', () => {
  test('is unsure half a square to each side of an edge, and along the border only of what is kept', () => {
    const { data } = trimapOfAlpha(half, size, { foreground: 240, background: 10, erode: 4 });
    expect(row(data, 10)).toBe('rrrrrrrrr???kkkkkkkkkkkkkkkkk?');
    expect(row(data, 0)).toMatch(/^r+\?+$/);
  });

  test('is unsure of what lies between the thresholds', () => {
    const alpha = Uint8Array.from({ length: 600 }, (_, at) => Math.round((255 * (at % 30)) / 29));
    const { data } = trimapOfAlpha(alpha, size, { foreground: 200, background: 50, erode: 1 });
    for (const [at, state] of data.entries()) {
      const value = alpha[at] as number;
      expect(state).toBe(value > 200 ? 255 : value < 50 ? 0 : 128);
    }
  });

  test('erodes as a square that is looked at pixel by pixel', () => {
    const alpha = Uint8Array.from({ length: 600 }, (_, at) => ((at * 7919) % 31 < 29 ? 255 : 0));
    for (const erode of [2, 3, 5]) {
      const { data } = trimapOfAlpha(alpha, size, { foreground: 240, background: 10, erode });
      const before = Math.floor(erode / 2);
      for (const [at, state] of data.entries()) {
        const offsets = [...Array(erode).keys()].map((index) => index - before);
        const isKept = offsets.every((dy) =>
          offsets.every((dx) => {
            const [x, y] = [(at % 30) + dx, Math.floor(at / 30) + dy];
            return x >= 0 && x < 30 && y >= 0 && y < 20 && alpha[y * 30 + x] === 255;
          }),
        );
        expect(state === 255).toBe(isKept);
      }
    }
  });
});

describe('trimapOfGrey', () => {
  test('takes almost white as kept and almost black as removed', () => {
    const { data } = trimapOfGrey(Uint8Array.of(0, 25, 26, 128, 229, 230, 255), { width: 7, height: 1 });
    expect([...data]).toEqual([0, 0, 128, 128, 128, 255, 255]);
  });
});
