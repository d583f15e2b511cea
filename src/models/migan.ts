import { z } from 'zod';
import type { Pixels } from '../engine/media/media.js';
import { readConstants } from './lockfile.js';
import type { ModelFamily } from './model.js';
import { pictureTensors, samples } from './signature.js';
import { windowInpainter } from './filling/window-inpainter.js';

const constants = z.strictObject({
  /** Side of the pictures that the network inside of the pipeline works on: larger ones would come out soft. */
  size: z.int().positive(),
});

/**
 * MI-GAN (ICCV 2023) as the pipeline of its authors (scripts/create_onnx_pipeline.py): 8-bit RGB [1, 3, H, W] and a mask
 * [1, 1, H, W] of 0 where to fill and 255 where to keep in, 8-bit RGB out; scaling and composition are in the graph.
 */
export const migan: ModelFamily = {
  name: 'migan',
  task: 'inpainting',
  constants,
  takes: [
    { types: ['uint8'], shape: [null, 3, null, null] },
    { types: ['uint8'], shape: [null, 1, null, null] },
  ],
  gives: [{ types: ['uint8'], shape: [null, 3, null, null] }],
  wrap(entry, session) {
    const { size } = readConstants(entry, constants);
    const { input, output } = pictureTensors(entry);
    const hole = entry.inputs[1]?.name ?? '';
    return windowInpainter({
      id: entry.id,
      size,
      async run(picture, mask) {
        const keep = mask.data.map((mark) => 255 - mark);
        const results = await session.run({
          [input]: { type: 'uint8', data: separate(picture), dims: [1, 3, size, size] },
          [hole]: { type: 'uint8', data: keep, dims: [1, 1, size, size] },
        });
        const planes = samples(entry, results[output], { type: Uint8Array, length: 3 * size * size });
        return interleave(planes, picture);
      },
    });
  },
};

/** Interleaved samples as planes. */
function separate({ data }: Pixels): Uint8Array {
  const area = data.length / 3;
  return Uint8Array.from(data, (_, at) => data[3 * (at % area) + Math.floor(at / area)] as number);
}

/** Planes as interleaved samples, for a picture of this size. */
function interleave(planes: Uint8Array, { width, height }: Pixels): Pixels {
  const area = width * height;
  const data = Uint8Array.from(planes, (_, at) => planes[(at % 3) * area + Math.floor(at / 3)] as number);
  return { data, width, height, channels: 3 };
}
