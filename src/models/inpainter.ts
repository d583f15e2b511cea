import { z } from 'zod';
import type { Size } from '../engine/media/media.js';
import { fillPyramid, type Improve } from './filling/fill-pyramid.js';
import { planes } from './family-tensors.js';
import { type ModelEntry, readConstants } from './lockfile.js';
import type { ModelFamily } from './model.js';
import type { ModelSession } from './session.js';
import { samples } from './signature.js';

// The net halves the picture three times.
const multiple = 8;

// About the shorter side at which a pyramid ends: there the net sees the whole picture.
const coarsest = 32;

const constants = z.strictObject({
  /** Longest side of a crop in one run. */
  size: z.int().multipleOf(multiple).positive(),
});

/**
 * Our own nets, which correct a rough fill: float RGB 0..1 [N, 3, H, W] and the share of every pixel that is unknown
 * [N, 1, H, W] in, RGB out. One net serves every level of a pyramid, from coarse to fine: the rough fill of a level is its
 * membrane with all the corrections of coarser levels.
 */
export const inpainter: ModelFamily = {
  name: 'inpainter',
  task: 'inpainting',
  constants,
  takes: [planes(3), planes(1)],
  gives: [planes(3)],
  wrap(entry, session) {
    const { size } = readConstants(entry, constants);
    const improve = improver(entry, session);
    return {
      id: entry.id,
      size,
      fill: (crop, mask, sketch) => fillPyramid(crop, mask, { halvings: halvingsOf(crop), multiple, improve, sketch }),
    };
  },
};

function improver(entry: ModelEntry, session: ModelSession): Improve {
  const [picture = '', mask = ''] = entry.inputs.map(({ name }) => name ?? '');
  const output = entry.outputs[0]?.name ?? '';
  return async ({ colours, unknown, width, height }) => {
    const results = await session.run({
      [picture]: { type: 'float32', data: colours, dims: [1, 3, height, width] },
      [mask]: { type: 'float32', data: unknown, dims: [1, 1, height, width] },
    });
    return samples(entry, results[output], { type: Float32Array, length: 3 * width * height });
  };
}

/** How often a crop is made half as large. */
function halvingsOf({ width, height }: Size): number {
  return Math.max(0, Math.round(Math.log2(Math.min(width, height) / coarsest)) - 1);
}
