import type { Pixels } from '../../engine/media/media.js';
import type { ModelEntry } from '../lockfile.js';
import { cropTo, mirrorToMultiple } from './mirrored-edge.js';
import type { ModelSession } from '../session.js';
import { pictureTensors, samples } from '../signature.js';
import { fromPlanes, levels, toPlanes } from '../tensor.js';

const unitLevels = levels([0, 0, 0], [1, 1, 1]);

/**
 * What a network makes of a tile (3 channels) that is float RGB 0..1 [1, 3, H, W] in and [1, 3, scale·H, scale·W] out,
 * clipped to 0..1. Where it takes only sides that are multiples the tile is mirrored up to them and the rest cut off.
 */
export function floatNet(
  entry: ModelEntry,
  session: ModelSession,
  { scale = 1, multiple = 1 }: { scale?: number; multiple?: number },
): (tile: Pixels) => Promise<Pixels> {
  const { input, output } = pictureTensors(entry);
  return async (tile) => {
    const whole = mirrorToMultiple(tile, multiple);
    const { width, height } = whole;
    const data = toPlanes(whole, unitLevels);
    const results = await session.run({ [input]: { type: 'float32', data, dims: [1, 3, height, width] } });
    const size = { width: width * scale, height: height * scale };
    const length = size.width * size.height * 3;
    const made = fromPlanes(samples(entry, results[output], { type: Float32Array, length }), size);
    return cropTo(made, { width: tile.width * scale, height: tile.height * scale });
  };
}
