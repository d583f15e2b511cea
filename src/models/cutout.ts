import { z } from 'zod';
import type { Size } from '../engine/media/media.js';
import { readConstants } from './lockfile.js';
import type { ModelFamily } from './model.js';
import { pictureTensors, samples } from './signature.js';

// The net halves the picture five times.
const multiple = 32;

const constants = z.strictObject({
  /** Longest side of the picture for the network. */
  size: z.int().multipleOf(multiple).positive(),
  /** `stretch` to a square, or keep the `aspect` as near as sides that are multiples of 32 allow. */
  fit: z.enum(['stretch', 'aspect']),
});

/** Our own nets: 8-bit RGB [N, H, W, 3] in, alpha 0..1 [N, 1, H, W] out; all pre-processing is in the graph. */
export const cutout: ModelFamily = {
  name: 'cutout',
  task: 'background-removal',
  constants,
  wrap(entry, session) {
    const { size, fit } = readConstants(entry, constants);
    const { input, output } = pictureTensors(entry);
    return {
      id: entry.id,
      inputSize: (source) => (fit === 'stretch' ? { width: size, height: size } : keepAspect(source, size)),
      async predict({ data, width, height }) {
        const results = await session.run({ [input]: { type: 'uint8', data, dims: [1, height, width, 3] } });
        const alpha = samples(entry, results[output], { type: Float32Array, length: width * height });
        return { data: alpha, width, height };
      },
    };
  },
};

function keepAspect({ width, height }: Size, size: number): Size {
  const factor = size / Math.max(width, height);
  const side = (length: number) => Math.max(multiple, Math.round((length * factor) / multiple) * multiple);
  return { width: side(width), height: side(height) };
}
