import { z } from 'zod';
import { planes } from './family-tensors.js';
import { withShorterSide } from './nets/input-size.js';
import { readConstants } from './lockfile.js';
import type { ModelFamily } from './model.js';
import { pictureTensors, samples } from './signature.js';
import { levels, toPlanes } from './tensor.js';

const triple = z.tuple([z.number(), z.number(), z.number()]);

const constants = z.strictObject({
  /** The shorter side of the picture for the network, or both sides where it takes no others. */
  size: z.union([z.int().positive(), z.tuple([z.int().positive(), z.int().positive()])]),
  /** Of which both sides are multiples. */
  multiple: z.int().positive().default(1),
  mean: triple,
  std: triple,
});

/**
 * Nets that tell near from far, as Depth Anything (arXiv 2406.09414): normalised float RGB [N, 3, H, W] in, disparity
 * [N, H, W] or [N, 1, H, W] out, larger where nearer, of no known unit.
 */
export const depthAnything: ModelFamily = {
  name: 'depth-anything',
  task: 'depth-estimation',
  constants,
  takes: [planes(3)],
  gives: [{ types: ['float32'], shape: null }],
  wrap(entry, session) {
    const { size, multiple, mean, std } = readConstants(entry, constants);
    const { input, output } = pictureTensors(entry);
    const table = levels(mean, std);
    return {
      id: entry.id,
      inputSize: (source) =>
        typeof size === 'number' ? withShorterSide(source, size, multiple) : { width: size[0], height: size[1] },
      async predict(pixels) {
        const { width, height } = pixels;
        const tensor = { type: 'float32', data: toPlanes(pixels, table), dims: [1, 3, height, width] } as const;
        const results = await session.run({ [input]: tensor });
        const disparity = samples(entry, results[output], { type: Float32Array, length: width * height });
        return { data: toUnitRange(disparity), width, height };
      },
    };
  },
};

/** 0 is the farthest place of the picture, 1 the nearest; without any difference all is half way. */
function toUnitRange(values: Float32Array): Float32Array {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (!(high - low > 1e-6)) return values.map(() => 0.5);
  return values.map((value) => (value - low) / (high - low));
}
