import { describe, expect, test } from 'vitest';
import { EngineError } from '#src/engine/errors.js';
import type { Pixels } from '#src/engine/media/media.js';
import { mendFaults } from '#src/models/tiling/faults.js';
import type { UpscaleModel } from '#src/models/model.js';
import { noise } from '../../helpers/pictures.js';

function model(id: string, upscale: (tile: Pixels) => Pixels): UpscaleModel {
  return { id, scale: 1, overlap: 0, upscale: async (tile) => upscale(tile) };
}

const good = model('good', (tile) => tile);
const black = model('black', (tile) => ({ ...tile, data: new Uint8Array(tile.data.length) }));
const noNumbers = model('nan', () => {
  throw new EngineError('internal', 'Model "nan" gave samples that are no numbers');
});
const tile = noise({ width: 8, height: 8 }, 3);

describe('mendFaults', () => {
  test.each([black, noNumbers])('makes the tile of the model "$id" again', async (faulty) => {
    expect(await mendFaults(faulty, async () => good).upscale(tile)).toEqual(tile);
  });

  test('does not ask for the other model as long as the first works', async () => {
    const fallback = async () => expect.fail('asked for');
    expect(await mendFaults(good, fallback).upscale(tile)).toEqual(tile);
  });

  test('leaves a black picture black', async () => {
    const dark = { ...tile, data: new Uint8Array(tile.data.length) };
    expect(await mendFaults(black, async () => null).upscale(dark)).toEqual(dark);
  });

  test.each([
    ['there is no other', async () => null],
    ['the other is no better', async () => black],
  ])('says so when %s', async (_, fallback) => {
    await expect(mendFaults(black, fallback).upscale(tile)).rejects.toMatchObject({
      code: 'internal',
      message: 'Model "black" made a picture black; its device may be at fault',
    });
  });

  test('tries nothing else when memory is short', async () => {
    const short = model('short', () => {
      throw new EngineError('out_of_memory', 'Too much');
    });
    const attempt = mendFaults(short, async () => good).upscale(tile);
    await expect(attempt).rejects.toMatchObject({ code: 'out_of_memory' });
  });
});
