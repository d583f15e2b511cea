import { expect, test } from 'vitest';
import type { UpscaleModel } from '#src/models/model.js';
import { matchColours, matchReach } from '#src/models/tiling/matched-colours.js';
import { paint } from '../../helpers/pictures.js';

/** Repeats every pixel twice and shifts the tone. */
const drifting: UpscaleModel = {
  id: 'drifting',
  scale: 2,
  overlap: 5,
  async upscale({ data, width, height }) {
    const size = { width: 2 * width, height: 2 * height };
    const shift = [12, -9, 4];
    return paint(size, 3, (x, y) => {
      const at = 3 * ((y >> 1) * width + (x >> 1));
      return shift.map((drift, channel) => (data[at + channel] as number) + drift);
    });
  },
};

const tile = paint({ width: 40, height: 30 }, 3, (x, y) => [80 + x, 120 + ((x * 7 + y * 3) % 20), 90 + 2 * y]);

test('takes out a drift of the tones and leaves the detail', async () => {
  const large = await matchColours(drifting).upscale(tile);
  let worst = 0;
  for (const [at, value] of large.data.entries()) {
    const [pixel, channel] = [Math.floor(at / 3), at % 3];
    const [x, y] = [pixel % 80, Math.floor(pixel / 80)];
    const source = tile.data[3 * ((y >> 1) * 40 + (x >> 1)) + channel] as number;
    worst = Math.max(worst, Math.abs(value - source));
  }
  expect(worst).toBeLessThanOrEqual(1);
});

test('asks for the window beside the overlap of the model', () => {
  expect(matchColours(drifting)).toMatchObject({ overlap: 5 + matchReach, scale: 2, id: 'drifting' });
});
