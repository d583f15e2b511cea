import { z } from 'zod';
import { interleaved } from './family-tensors.js';
import { readConstants } from './lockfile.js';
import { cropTo, mirrorToMultiple } from './nets/mirrored-edge.js';
import type { ModelFamily } from './model.js';
import { pictureTensors, samples } from './signature.js';

const constants = z.strictObject({
  /** Receptive field to one side, in pixels. */
  overlap: z.int().nonnegative(),
  /** What a condition of 1 stands for: standard deviation of noise in levels, and of a Gaussian blur in pixels. */
  mostNoise: z.number().positive(),
  mostBlur: z.number().positive(),
});

/**
 * Our own restoring net: 8-bit RGB [N, H, W, 3] with even sides and the conditions [N, 3] (noise, JPEG, blur, each 0..1)
 * in, 8-bit RGB [N, H, W, 3] out. With conditions of 0 the picture stays what it is.
 */
export const restorer: ModelFamily = {
  name: 'restorer',
  task: 'image-restoration',
  constants,
  takes: [interleaved, { types: ['float32'], shape: [null, 3] }],
  gives: [interleaved],
  wrap(entry, session) {
    const { overlap, mostNoise, mostBlur } = readConstants(entry, constants);
    const { input, output } = pictureTensors(entry);
    const conditions = entry.inputs[1]?.name ?? '';
    return {
      id: entry.id,
      overlap,
      mends: ['noise', 'jpeg', 'blur'],
      gainsByFilter: true,
      async restore(tile, { noise, jpeg, blur }) {
        const even = mirrorToMultiple(tile, 2);
        const { data, width, height } = even;
        const told = Float32Array.from([noise / mostNoise, jpeg, blur / mostBlur], (value) => Math.min(1, value));
        const results = await session.run({
          [input]: { type: 'uint8', data, dims: [1, height, width, 3] },
          [conditions]: { type: 'float32', data: told, dims: [1, told.length] },
        });
        const restored = samples(entry, results[output], { type: Uint8Array, length: data.length });
        return cropTo({ ...even, data: restored }, tile);
      },
    };
  },
};
