import { describe, expect, test } from 'vitest';
import { dilateMask, featherMask, readEditMask } from '#src/models/edit-mask.js';
import { paint, readerOf } from '../helpers/pictures.js';

const size = { width: 12, height: 9 };
const isMarked = (x: number, y: number) => x >= 4 && x < 8 && y >= 3 && y < 6;
const marked = (data: Uint8Array) => data.reduce((count, value) => count + (value === 255 ? 1 : 0), 0);

describe('readEditMask', () => {
  test('edits what is white, where there is no transparency', async () => {
    const mask = await readEditMask(readerOf(paint(size, 3, (x, y) => (isMarked(x, y) ? [255, 255, 255] : [0, 0, 0]))));
    expect(mask).toMatchObject({ ...size, channels: 1 });
    expect(marked(mask.data)).toBe(12);
  });

  test('draws the line at 128', async () => {
    const grey = (level: number) => readerOf(paint(size, 3, () => [level, level, level]));
    expect(marked((await readEditMask(grey(127))).data)).toBe(0);
    expect(marked((await readEditMask(grey(128))).data)).toBe(108);
  });

  test('edits what is transparent, whatever its colour, where anything is', async () => {
    const hole = paint(size, 4, (x, y) => [255, 255, 255, isMarked(x, y) ? 0 : 255]);
    expect(marked((await readEditMask(readerOf(hole))).data)).toBe(12);
  });

  test('goes by light when alpha is opaque everywhere', async () => {
    const opaque = paint(size, 4, (x, y) => (isMarked(x, y) ? [255, 255, 255, 255] : [0, 0, 0, 255]));
    expect(marked((await readEditMask(readerOf(opaque))).data)).toBe(12);
  });
});

describe('the border of a mask', () => {
  const mask = () => ({
    data: Uint8Array.from({ length: 108 }, (_, at) => (isMarked(at % 12, Math.floor(at / 12)) ? 255 : 0)),
    ...size,
    channels: 1 as const,
  });

  test('grows by so many pixels to every side, and not beyond the picture', () => {
    const [one, many] = [mask(), mask()];
    dilateMask(one, 1);
    expect(marked(one.data)).toBe(6 * 5);
    dilateMask(many, 50);
    expect(marked(many.data)).toBe(108);
  });

  test('becomes a ramp that leaves what is further away alone', () => {
    const soft = featherMask(mask(), 1);
    expect(soft.data[4 * 12 + 5]).toBeGreaterThan(200);
    expect(soft.data[4 * 12 + 4]).toBeLessThan(200);
    expect(soft.data[0]).toBe(0);
  });
});
