import { expect, test } from 'vitest';
import type { Pixels } from '#src/engine/media/media.js';
import type { UpscaleModel } from '#src/models/model.js';
import { selfEnsemble } from '#src/models/tiling/self-ensemble.js';
import { noise } from '../../helpers/pictures.js';

/** Repeats every pixel, and adds `slant` for each column from the left: an error that depends on the direction. */
function repeating(scale: number, slant = 0): UpscaleModel {
  return {
    id: 'repeating',
    scale,
    overlap: 0,
    async upscale({ data, width, height }) {
      const size = { width: width * scale, height: height * scale };
      const large = Uint8Array.from({ length: size.width * size.height * 3 }, (_, at) => {
        const [pixel, channel] = [Math.floor(at / 3), at % 3];
        const [x, y] = [pixel % size.width, Math.floor(pixel / size.width)];
        const from = 3 * (Math.floor(y / scale) * width + Math.floor(x / scale)) + channel;
        return Math.min(255, (data[from] as number) + slant * x);
      });
      return { data: large, ...size, channels: 3 };
    },
  };
}

test('a model that knows no direction stays what it is', async () => {
  const tile = noise({ width: 7, height: 4 }, 3);
  const plain = await repeating(2).upscale(tile);
  expect(await selfEnsemble(repeating(2)).upscale(tile)).toEqual(plain);
});

test('an error that depends on the direction is evened out', async () => {
  const flat: Pixels = { data: new Uint8Array(5 * 5 * 3).fill(100), width: 5, height: 5, channels: 3 };
  const { data } = await selfEnsemble(repeating(2, 4)).upscale(flat);
  // From 100 to 136 from left to right before; the mean of both directions of both axes is the same everywhere.
  expect(new Set(data)).toEqual(new Set([118]));
});
