import { EngineError } from '../../engine/errors.js';
import type { Pixels } from '../../engine/media/media.js';
import type { PixelReader } from '../../engine/operations/workbench.js';
import type { UpscaleModel } from '../model.js';
import { roundUp } from './tile-plan.js';
import { enlarge } from './tiling.js';

/** Sides of tiles: larger ones save nothing that can be measured, smaller ones are mostly overlap. */
const largest = 384;
const smallest = 128;

/** Working memory of a net per pixel of a tile: three layers of 64 channels of 32 bits, a quarter more enlarged. */
const bytesPerPixel = 2_000;

/** The side of a tile, a multiple of 8, that takes at most a quarter of the memory that is free: others work beside it. */
export function tileFor(freeBytes: number): number {
  const affordable = Math.sqrt(freeBytes / 4 / bytesPerPixel);
  return Math.min(largest, Math.max(smallest, roundUp(affordable - 8)));
}

/** The model, which takes a tile in smaller ones when its memory does not suffice. Errors: `out_of_memory` below 64 pixels. */
export function splitWhenShort(model: UpscaleModel): UpscaleModel {
  return {
    ...model,
    async upscale(tile) {
      try {
        return await model.upscale(tile);
      } catch (error) {
        const side = Math.max(tile.width, tile.height);
        if (!(error instanceof EngineError && error.code === 'out_of_memory') || side < 128) throw error;
        return inTiles(tile, splitWhenShort(model), roundUp(side / 2));
      }
    },
  };
}

async function inTiles(whole: Pixels, model: UpscaleModel, tile: number): Promise<Pixels> {
  const size = { width: whole.width * model.scale, height: whole.height * model.scale };
  const data = new Uint8Array(size.width * size.height * 3);
  let written = 0;
  await enlarge(readerOf(whole), model, {
    tile,
    checkpoint: () => {},
    write: async (rows) => {
      data.set(rows.data, written);
      written += rows.data.length;
    },
  });
  return { data, ...size, channels: 3 };
}

function readerOf({ data, width, height }: Pixels): PixelReader {
  return {
    width,
    height,
    channels: 3,
    readRows: async (top, rows) => ({
      data: data.subarray(top * width * 3, (top + rows) * width * 3),
      width,
      height: rows,
      channels: 3,
    }),
    close: async () => {},
  };
}
