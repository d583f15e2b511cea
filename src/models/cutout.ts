import { z } from 'zod';
import type { Pixels, Size } from '../engine/media/media.js';
import { interleaved, planes } from './family-tensors.js';
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
  /** Whether the matte is the mean of those of the picture and of its mirror image. */
  mirror: z.boolean().default(false),
  /** Whether the part that holds the subject is looked at once more. */
  looksTwice: z.boolean().default(false),
});

/** Our own nets: 8-bit RGB [N, H, W, 3] in, alpha 0..1 [N, 1, H, W] out; all pre-processing is in the graph. */
export const cutout: ModelFamily = {
  name: 'cutout',
  task: 'background-removal',
  constants,
  takes: [interleaved],
  gives: [planes(1)],
  wrap(entry, session) {
    const { size, fit, mirror, looksTwice } = readConstants(entry, constants);
    const { input, output } = pictureTensors(entry);
    return {
      id: entry.id,
      inputSize: (source) => (fit === 'stretch' ? { width: size, height: size } : keepAspect(source, size)),
      gainsByLookingTwice: looksTwice,
      async predict(pixels) {
        const { width, height } = pixels;
        const [count, data] = mirror ? [2, withMirrorImage(pixels)] : [1, pixels.data];
        const results = await session.run({ [input]: { type: 'uint8', data, dims: [count, height, width, 3] } });
        const alpha = samples(entry, results[output], { type: Float32Array, length: count * width * height });
        return { data: mirror ? meanOfMirrored(alpha, pixels) : alpha, width, height };
      },
    };
  },
};

function keepAspect({ width, height }: Size, size: number): Size {
  const factor = size / Math.max(width, height);
  const side = (length: number) => Math.max(multiple, Math.round((length * factor) / multiple) * multiple);
  return { width: side(width), height: side(height) };
}

/** The picture, and after it its mirror image. */
function withMirrorImage({ data, width, height }: Pixels): Uint8Array {
  const both = new Uint8Array(2 * data.length);
  both.set(data);
  for (let y = 0, to = data.length; y < height; y++) {
    for (let x = width - 1; x >= 0; x--) {
      const from = 3 * (y * width + x);
      for (let channel = 0; channel < 3; channel++, to++) both[to] = data[from + channel] as number;
    }
  }
  return both;
}

/** What the network says of the picture and of its mirror image, brought together. */
function meanOfMirrored(both: Float32Array, { width, height }: Size): Float32Array {
  const mean = new Float32Array(width * height);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at++) {
      const mirrored = both[mean.length + (y + 1) * width - 1 - x] as number;
      mean[at] = ((both[at] as number) + mirrored) / 2;
    }
  }
  return mean;
}
