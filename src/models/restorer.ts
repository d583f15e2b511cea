import { z } from 'zod';
import type { Pixels } from '../engine/media/media.js';
import { readConstants } from './lockfile.js';
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
  wrap(entry, session) {
    const { overlap, mostNoise, mostBlur } = readConstants(entry, constants);
    const { input, output } = pictureTensors(entry);
    const conditions = entry.inputs[1]?.name ?? '';
    return {
      id: entry.id,
      overlap,
      mends: ['noise', 'jpeg', 'blur'],
      async restore(tile, { noise, jpeg, blur }) {
        const even = toEvenSides(tile);
        const { data, width, height } = even;
        const told = Float32Array.from([noise / mostNoise, jpeg, blur / mostBlur], (value) => Math.min(1, value));
        const results = await session.run({
          [input]: { type: 'uint8', data, dims: [1, height, width, 3] },
          [conditions]: { type: 'float32', data: told, dims: [1, told.length] },
        });
        const restored = samples(entry, results[output], { type: Uint8Array, length: data.length });
        return crop({ ...even, data: restored }, tile);
      },
    };
  },
};

/** The picture with its last column and row repeated where a side is odd. */
function toEvenSides(tile: Pixels): Pixels {
  const [width, height] = [tile.width + (tile.width % 2), tile.height + (tile.height % 2)];
  if (width === tile.width && height === tile.height) return tile;
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    const from = Math.min(y, tile.height - 1) * tile.width * 3;
    data.set(tile.data.subarray(from, from + tile.width * 3), y * width * 3);
    if (width > tile.width)
      data.copyWithin((y * width + width - 1) * 3, (y * width + width - 2) * 3, (y * width + width - 1) * 3);
  }
  return { data, width, height, channels: 3 };
}

function crop(picture: Pixels, { width, height }: Pixels): Pixels {
  if (picture.width === width && picture.height === height) return picture;
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    data.set(picture.data.subarray(y * picture.width * 3, (y * picture.width + width) * 3), y * width * 3);
  }
  return { data, width, height, channels: 3 };
}
