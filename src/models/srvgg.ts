import { z } from 'zod';
import { readConstants } from './lockfile.js';
import type { ModelFamily } from './model.js';
import { pictureTensors, samples } from './signature.js';
import { fromPlanes, levels, toPlanes } from './tensor.js';

const constants = z.strictObject({
  scale: z.int().min(2).max(8),
  /**
   * Pixels around a tile that change its result. Every 3×3 convolution sees one further, but the last ones hardly matter:
   * with 16 instead of 34 Real-ESRGAN’s general net differs by 1 of 255 at most (83 dB).
   */
  overlap: z.int().nonnegative(),
});

const unitLevels = levels([0, 0, 0], [1, 1, 1]);

/**
 * Real-ESRGAN's compact nets (SRVGGNetCompact) and others of the same signature: float RGB 0..1 [1, 3, H, W] in,
 * [1, 3, scale·H, scale·W] out, clipped to 0..1.
 */
export const srvgg: ModelFamily = {
  name: 'srvgg',
  task: 'super-resolution',
  constants,
  wrap(entry, session) {
    const { scale, overlap } = readConstants(entry, constants);
    const { input, output } = pictureTensors(entry);
    return {
      id: entry.id,
      scale,
      overlap,
      drifts: true,
      async upscale(tile) {
        const { width, height } = tile;
        const data = toPlanes(tile, unitLevels);
        const results = await session.run({ [input]: { type: 'float32', data, dims: [1, 3, height, width] } });
        const size = { width: width * scale, height: height * scale };
        const length = size.width * size.height * 3;
        return fromPlanes(samples(entry, results[output], { type: Float32Array, length }), size);
      },
    };
  },
};
