import { describe, expect, test } from 'vitest';
import type { Pixels } from '#src/engine/media/media.js';
import { composeRows, layOver, layShadow } from '#src/engine/studio/composition.js';
import { joinRows, paint } from '../../helpers/pictures.js';

/** Counts rows and columns in its colours. */
const under = async (top: number, height: number) => paint({ width: 10, height }, 4, (x, y) => [x, top + y, 0, 255]);

async function compose(parts: number[], box: { left: number; top: number; width: number; height: number }) {
  const written: Pixels[] = [];
  const write = async (rows: Pixels) => void written.push({ ...rows, data: rows.data.slice() });
  const composition = composeRows({ canvas: { width: 10, height: 300 }, box, under, write });
  for (const height of parts) await composition.push(paint({ width: box.width, height }, 4, () => [200, 0, 0, 255]));
  await composition.finish();
  return joinRows(written);
}

describe('composeRows', () => {
  test('fills the canvas around a subject that comes in parts', async () => {
    const box = { left: 3, top: 150, width: 4, height: 20 };
    const { data, height } = await compose([7, 13], box);
    expect(height).toBe(300);
    for (let at = 0; at < 3000; at++) {
      const [x, y] = [at % 10, Math.floor(at / 10)];
      const isInside = x >= 3 && x < 7 && y >= 150 && y < 170;
      expect([...data.subarray(4 * at, 4 * at + 2)]).toEqual(isInside ? [200, 0] : [x, Math.min(255, y)]);
    }
  });

  test('draws an empty canvas when no subject comes', async () => {
    expect((await compose([], { left: 0, top: 0, width: 1, height: 1 })).height).toBe(300);
  });
});

describe('layOver', () => {
  const over = (below: number[], above: number[]) => {
    const target = paint({ width: 1, height: 1 }, 4, () => below);
    layOver(
      target,
      paint({ width: 1, height: 1 }, 4, () => above),
      0,
    );
    return [...target.data];
  };

  test('mixes by alpha on what is opaque', () => {
    expect(over([0, 0, 100, 255], [200, 100, 0, 128])).toEqual([100, 50, 50, 255]);
    expect(over([1, 2, 3, 255], [9, 9, 9, 0])).toEqual([1, 2, 3, 255]);
  });

  test('keeps colours straight on what is transparent', () => {
    expect(over([0, 0, 0, 0], [200, 100, 50, 77])).toEqual([200, 100, 50, 77]);
    expect(over([0, 0, 255, 128], [255, 0, 0, 128])).toEqual([170, 0, 85, 192]);
  });
});

describe('layShadow', () => {
  test('darkens by its strength, and shows on nothing', () => {
    const target = paint({ width: 2, height: 1 }, 4, (x) => [200, 200, 200, 255 * x]);
    layShadow(target, Float32Array.of(0.5, 0.25), [0, 0, 0, 255]);
    expect([...target.data]).toEqual([0, 0, 0, 128, 150, 150, 150, 255]);
  });
});
