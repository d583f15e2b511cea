import { describe, expect, test } from 'vitest';
import { dilateMask, featherMask, readEditMask } from '#src/models/filling/edit-mask.js';
import { paint, readerOf } from '../../helpers/pictures.js';

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

  test('goes by alpha everywhere when only the last row is transparent', async () => {
    const late = paint(size, 4, (_, y) => [255, 255, 255, y === 8 ? 0 : 255]);
    const { data } = await readEditMask(readerOf(late));
    expect([marked(data), marked(data.subarray(96))]).toEqual([12, 12]);
  });

  test('sees a mark in rows that are otherwise alike, and after many of them', async () => {
    const tall = { width: 20, height: 400 };
    const spots = [
      [3, 0],
      [3, 127],
      [19, 128],
      [0, 300],
      [7, 300],
    ];
    const white = (x: number, y: number) => spots.some(([column, row]) => column === x && row === y);
    const { data } = await readEditMask(
      readerOf(paint(tall, 3, (x, y) => (white(x, y) ? [255, 255, 255] : [9, 9, 9]))),
    );
    expect([...data.keys()].filter((at) => data[at] === 255).map((at) => [at % 20, Math.floor(at / 20)])).toEqual(
      spots,
    );
    expect(data.every((value) => value === 0 || value === 255)).toBe(true);
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
