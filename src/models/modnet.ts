import { z } from 'zod';
import { planes } from './family-tensors.js';
import { withShorterSide } from './nets/input-size.js';
import { readConstants } from './lockfile.js';
import type { ModelFamily } from './model.js';
import { pictureTensors, samples } from './signature.js';
import { levels, toPlanes } from './tensor.js';

const triple = z.tuple([z.number(), z.number(), z.number()]);

const constants = z.strictObject({
  /** The shorter side of the picture for the network. */
  size: z.int().positive(),
  /** Of which both sides are multiples. */
  multiple: z.int().positive(),
  mean: triple,
  std: triple,
});

/**
 * MODNet (arXiv 2011.11961), which cuts out people: normalised float RGB [1, 3, H, W] that keeps the shape of the picture
 * in, alpha 0..1 [1, 1, H, W] out, taken as it is.
 */
export const modnet: ModelFamily = {
  name: 'modnet',
  task: 'background-removal',
  constants,
  takes: [planes(3)],
  gives: [planes(1)],
  wrap(entry, session) {
    const { size, multiple, mean, std } = readConstants(entry, constants);
    const { input, output } = pictureTensors(entry);
    const table = levels(mean, std);
    return {
      id: entry.id,
      inputSize: (source) => withShorterSide(source, size, multiple),
      async predict(pixels) {
        const { width, height } = pixels;
        const data = toPlanes(pixels, table);
        const results = await session.run({ [input]: { type: 'float32', data, dims: [1, 3, height, width] } });
        const alpha = samples(entry, results[output], { type: Float32Array, length: width * height });
        return { data: alpha.map((value) => Math.min(1, Math.max(0, value))), width, height };
      },
    };
  },
};
