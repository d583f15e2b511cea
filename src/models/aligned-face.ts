import { z } from 'zod';
import { planes } from './family-tensors.js';
import { readConstants } from './lockfile.js';
import type { ModelFamily } from './model.js';
import { pictureTensors, samples } from './signature.js';
import { fromPlanes, levels, toPlanes } from './tensor.js';

const constants = z.strictObject({
  /** Side of the aligned face. */
  size: z.int().positive(),
});

/** Samples of 0..255 become -1..1. */
const middle = [0.5, 0.5, 0.5] as const;

/**
 * Restorers of faces that are aligned as in FFHQ, such as RestoreFormer++ (arXiv 2308.07228) and GFPGAN (arXiv 2101.04061):
 * RGB planes of -1..1 [1, 3, S, S] in, the same first among the outputs.
 */
export const alignedFace: ModelFamily = {
  name: 'aligned-face',
  task: 'face-restoration',
  constants,
  takes: [planes(3)],
  gives: [planes(3)],
  wrap(entry, session) {
    const { size } = readConstants(entry, constants);
    const { input, output } = pictureTensors(entry);
    const table = levels(middle, middle);
    return {
      id: entry.id,
      size,
      async restore(face) {
        const tensor = { type: 'float32', data: toPlanes(face, table), dims: [1, 3, size, size] } as const;
        const results = await session.run({ [input]: tensor });
        const restored = samples(entry, results[output], { type: Float32Array, length: 3 * size * size });
        return fromPlanes(
          restored.map((value) => (value + 1) / 2),
          { width: size, height: size },
        );
      },
    };
  },
};
