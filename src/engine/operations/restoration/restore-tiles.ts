import { CollaborativeFilter } from '../../../models/denoising/collaborative-filter.js';
import type { Damage, RestoreModel, UpscaleModel } from '../../../models/model.js';
import { selfEnsemble } from '../../../models/tiling/self-ensemble.js';
import { splitWhenShort, tileFor } from '../../../models/tiling/tile-memory.js';
import { enlarge } from '../../../models/tiling/tiling.js';
import type { Pixels } from '../../media/media.js';
import type { PixelReader, Workbench } from '../workbench.js';

/** A picture and how it is to be restored. */
export interface Tiles {
  source: PixelReader;
  model: RestoreModel;
  damage: Damage;
  /** Whether all turns and mirrors are averaged. */
  tta: boolean;
}

/** Takes the next rows of the result, which begin at `top`; their memory is used again once it settles. */
type Write = (rows: Pixels, top: number) => Promise<void>;

/** Restores a picture of any height tile by tile, and filters what was only noisy once more with the result as a pilot. */
export async function restoreTiles(bench: Workbench, { write, ...tiles }: Tiles & { write: Write }): Promise<void> {
  const { source, model, damage, tta } = tiles;
  const prepared = (each: RestoreModel) => (tta ? selfEnsemble(asUpscaler(each, damage)) : asUpscaler(each, damage));
  // The filter takes the rest of the picture as it is: blocks and blur would come back.
  const isOnlyNoisy = damage.noise > 0 && damage.jpeg === 0 && damage.blur === 0;
  await enlarge(source, splitWhenShort(prepared(model)), {
    write: inOrder(isOnlyNoisy && model.gainsByFilter ? filtered(bench, tiles, inOrder(write)) : write),
    tile: tileFor(process.availableMemory()),
    checkpoint: (fraction) => bench.checkpoint('infer', fraction),
    fallback: async () => {
      const other = await bench.onCpu('image-restoration');
      return other && prepared(other);
    },
  });
}

/** A restoring model enlarges by one: tiles, seams and transparency are the same matter. */
function asUpscaler({ id, overlap, restore }: RestoreModel, damage: Damage): UpscaleModel {
  return { id, overlap, scale: 1, upscale: (tile) => restore(tile, damage) };
}

/** Counts the rows that were written. */
function inOrder(write: Write): (rows: Pixels) => Promise<void> {
  let top = 0;
  return async (rows) => {
    await write(rows, top);
    top += rows.height;
  };
}

/** Takes the rows that the model restored and writes what the filter makes of them. */
function filtered(bench: Workbench, { source, damage }: Tiles, write: (rows: Pixels) => Promise<void>): Write {
  const { width, height, channels } = source;
  const filter = new CollaborativeFilter({ width, height, channels, sigma: damage.noise });
  return async (pilot, top) => {
    const noisy = await source.readRows(top, pilot.height);
    for (const rows of filter.take(noisy, pilot)) {
      // No network is needed here: others may have theirs.
      bench.checkpoint('compose', top / height);
      if (rows.height > 0) await write(rows);
    }
  };
}
