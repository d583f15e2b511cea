import { expect, test } from 'vitest';
import { EngineError } from '#src/engine/errors.js';
import type { UpscaleModel } from '#src/models/model.js';
import { splitWhenShort, tileFor } from '#src/models/tiling/tile-memory.js';
import { noise } from '../../helpers/pictures.js';

/** Repeats the picture as it is, for tiles of at most so many pixels of side. */
function limited(most: number): UpscaleModel & { sides: number[] } {
  const sides: number[] = [];
  return {
    id: 'limited',
    scale: 1,
    overlap: 4,
    sides,
    async upscale(tile) {
      sides.push(Math.max(tile.width, tile.height));
      if (Math.max(tile.width, tile.height) > most) throw new EngineError('out_of_memory', 'Too much');
      return tile;
    },
  };
}

test('a tile is as large as memory allows, within bounds', () => {
  expect([1e6, 2e8, 6e8, 1e12].map(tileFor)).toEqual([128, 152, 272, 384]);
});

test('a tile that memory does not suffice for is taken in smaller ones', async () => {
  const tile = noise({ width: 200, height: 90 }, 3);
  const model = limited(110);
  expect(await splitWhenShort(model).upscale(tile)).toEqual(tile);
  expect(Math.max(...model.sides.slice(1))).toBeLessThanOrEqual(110);
});

test('what is small already is not split any more', async () => {
  const attempt = splitWhenShort(limited(10)).upscale(noise({ width: 200, height: 200 }, 3));
  await expect(attempt).rejects.toMatchObject({ code: 'out_of_memory' });
});
