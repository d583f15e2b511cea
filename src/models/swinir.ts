import { z } from 'zod';
import { planes } from './family-tensors.js';
import { floatNet } from './nets/float-net.js';
import { readConstants } from './lockfile.js';
import type { ModelFamily } from './model.js';

const constants = z.strictObject({
  scale: z.int().min(2).max(8),
  /** Pixels around a tile that change its result measurably: its authors' own tiles share 32. */
  overlap: z.int().nonnegative(),
  /** Of which both sides of a tile are multiples: the windows that attention is cut into. */
  multiple: z.int().positive(),
});

/** SwinIR (arXiv 2108.10257) and Swin2SR (arXiv 2209.11345); tiles are mirrored up to whole windows, as their authors do. */
export const swinir: ModelFamily = {
  name: 'swinir',
  task: 'super-resolution',
  constants,
  takes: [planes(3)],
  gives: [planes(3)],
  wrap(entry, session) {
    const { scale, overlap, multiple } = readConstants(entry, constants);
    return { id: entry.id, scale, overlap, drifts: true, upscale: floatNet(entry, session, { scale, multiple }) };
  },
};
