import { z } from 'zod';
import { planes } from './family-tensors.js';
import { readConstants } from './lockfile.js';
import type { ModelFamily } from './model.js';
import { pictureTensors, samples } from './signature.js';
import { fromPlanes, levels, toPlanes } from './tensor.js';
import { windowInpainter } from './filling/window-inpainter.js';

const constants = z.strictObject({
  /** Both sides of its pictures. */
  size: z.int().positive(),
  /** What stands for white in the result. */
  peak: z.union([z.literal(1), z.literal(255)]),
});

const unitLevels = levels([0, 0, 0], [1, 1, 1]);

/**
 * LaMa (arXiv 2109.07161) as exported to ONNX: float RGB 0..1 [1, 3, S, S] and a mask [1, 1, S, S] of 1 where to fill in,
 * RGB 0..1 or 0..255 out.
 */
export const lama: ModelFamily = {
  name: 'lama',
  task: 'inpainting',
  constants,
  takes: [planes(3), planes(1)],
  gives: [planes(3)],
  wrap(entry, session) {
    const { size, peak } = readConstants(entry, constants);
    const { input, output } = pictureTensors(entry);
    const hole = entry.inputs[1]?.name ?? '';
    return windowInpainter({
      id: entry.id,
      size,
      async run(picture, mask) {
        const marks = Float32Array.from(mask.data, (mark) => (mark === 0 ? 0 : 1));
        const results = await session.run({
          [input]: { type: 'float32', data: toPlanes(picture, unitLevels), dims: [1, 3, size, size] },
          [hole]: { type: 'float32', data: marks, dims: [1, 1, size, size] },
        });
        const planes = samples(entry, results[output], { type: Float32Array, length: 3 * size * size });
        return fromPlanes(peak === 1 ? planes : planes.map((level) => level / peak), picture);
      },
    });
  },
};
