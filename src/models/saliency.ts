import { z } from 'zod';
import type { Pixels } from '../engine/media/media.js';
import { planes } from './family-tensors.js';
import { type ModelEntry, readConstants } from './lockfile.js';
import type { MattingModel, ModelFamily } from './model.js';
import type { ModelSession } from './session.js';
import { pictureTensors, samples } from './signature.js';
import { levels, toPlanes } from './tensor.js';

const triple = z.tuple([z.number(), z.number(), z.number()]);

const network = z.strictObject({
  width: z.int().positive(),
  height: z.int().positive(),
  mean: triple,
  std: triple,
});

const constants = network.extend({
  /** What becomes 1 before mean and std: the largest sample of the `picture`, or 255 (`full`). */
  peak: z.enum(['picture', 'full']),
  /** Whether the result is stretched so that its smallest value becomes 0 and its largest 1. */
  stretch: z.boolean(),
});

/**
 * Salient object nets in the manner of U²-Net (arXiv 2005.09007), with the constants that rembg uses: normalised float RGB
 * [1, 3, H, W] of a fixed size in, saliency 0..1 [1, 1, H, W] first among the outputs.
 */
export const saliency: ModelFamily = {
  name: 'saliency',
  task: 'background-removal',
  constants,
  takes: [planes(3)],
  gives: [planes(1)],
  wrap: (entry, session) => mattingModel(entry, session, { ...readConstants(entry, constants), isLogits: false }),
};

/** BiRefNet (arXiv 2401.03407) as rembg runs it: as above, but what comes out are logits, first made 0..1, then stretched. */
export const birefnet: ModelFamily = {
  name: 'birefnet',
  task: 'background-removal',
  constants: network,
  takes: [planes(3)],
  gives: [planes(1)],
  wrap: (entry, session) =>
    mattingModel(entry, session, { ...readConstants(entry, network), peak: 'picture', stretch: true, isLogits: true }),
};

function mattingModel(
  entry: ModelEntry,
  session: ModelSession,
  { width, height, mean, std, peak, stretch, isLogits }: z.output<typeof constants> & { isLogits: boolean },
): MattingModel {
  const { input, output } = pictureTensors(entry);
  return {
    id: entry.id,
    inputSize: () => ({ width, height }),
    async predict(pixels) {
      const table = levels(mean, std, peak === 'full' ? 255 : largestSample(pixels));
      const data = toPlanes(pixels, table);
      const results = await session.run({ [input]: { type: 'float32', data, dims: [1, 3, height, width] } });
      const raw = samples(entry, results[output], { type: Float32Array, length: width * height });
      const map = isLogits ? raw.map((logit) => 1 / (1 + Math.exp(-logit))) : raw;
      return { data: toUnitRange(map, stretch), width, height };
    },
  };
}

function largestSample({ data }: Pixels): number {
  // A black picture must not become a division by nothing.
  return data.reduce((largest, sample) => Math.max(largest, sample), 1);
}

function toUnitRange(map: Float32Array, stretch: boolean): Float32Array {
  let [low, high] = [0, 1];
  if (stretch) {
    low = map.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
    high = map.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  }
  // A map without contrast says nothing of where the object is: it is taken as it is.
  if (!(high - low > 1e-6)) [low, high] = [0, 1];
  return map.map((value) => Math.min(1, Math.max(0, (value - low) / (high - low))));
}
