import { z } from 'zod';
import type { Pixels, Plane } from '../engine/media/media.js';
import { planes } from './family-tensors.js';
import { greyOf, luminance } from './colour/lab.js';
import { readConstants } from './lockfile.js';
import type { ModelFamily } from './model.js';
import { pictureTensors, samples } from './signature.js';

const constants = z.strictObject({
  /** Of both sides of its input. */
  size: z.int().positive(),
});

/**
 * DDColor (arXiv 2212.11613) as its authors run it: the lightness of the picture as a grey one, RGB planes of 0..1
 * [1, 3, S, S], in; a and b of CIE Lab [1, 2, S, S] out. Its own normalisation is inside of the network.
 */
export const ddcolor: ModelFamily = {
  name: 'ddcolor',
  task: 'colorization',
  constants,
  takes: [planes(3)],
  gives: [planes(2)],
  wrap(entry, session) {
    const { size } = readConstants(entry, constants);
    const { input, output } = pictureTensors(entry);
    const area = size * size;
    return {
      id: entry.id,
      size: { width: size, height: size },
      async predict(pixels) {
        const tensor = { type: 'float32', data: toGreyPlanes(pixels), dims: [1, 3, size, size] } as const;
        const results = await session.run({ [input]: tensor });
        const chroma = samples(entry, results[output], { type: Float32Array, length: 2 * area });
        const plane = (from: number): Plane => ({ data: chroma.slice(from, from + area), width: size, height: size });
        return { a: plane(0), b: plane(area) };
      },
    };
  },
};

/** The grey of every pixel's lightness, three times over. */
function toGreyPlanes({ data, width, height }: Pixels): Float32Array {
  const area = width * height;
  const planes = new Float32Array(3 * area);
  for (let at = 0, from = 0; at < area; at++, from += 3) {
    const light = luminance(data[from] as number, data[from + 1] as number, data[from + 2] as number);
    planes[at] = greyOf(light) / 255;
  }
  planes.copyWithin(area, 0, area);
  planes.copyWithin(2 * area, 0, area);
  return planes;
}
