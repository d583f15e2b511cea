import { z } from 'zod';
import { interleaved } from './family-tensors.js';
import { readConstants } from './lockfile.js';
import type { ModelFamily } from './model.js';
import { pictureTensors, samples } from './signature.js';

const constants = z.strictObject({
  scale: z.int().min(2).max(8),
  /** Receptive field to one side, in pixels of the input. */
  overlap: z.int().nonnegative(),
});

/** Our own nets: 8-bit RGB [N, H, W, 3] in, 8-bit RGB [N, scale·H, scale·W, 3] out; all processing is in the graph. */
export const upscaler: ModelFamily = {
  name: 'upscaler',
  task: 'super-resolution',
  constants,
  takes: [interleaved],
  gives: [interleaved],
  wrap(entry, session) {
    const { scale, overlap } = readConstants(entry, constants);
    const { input, output } = pictureTensors(entry);
    return {
      id: entry.id,
      scale,
      overlap,
      async upscale({ data, width, height }) {
        const results = await session.run({ [input]: { type: 'uint8', data, dims: [1, height, width, 3] } });
        const size = { width: width * scale, height: height * scale };
        const length = size.width * size.height * 3;
        return { data: samples(entry, results[output], { type: Uint8Array, length }), ...size, channels: 3 };
      },
    };
  },
};
