import { z } from 'zod';
import { planes } from './family-tensors.js';
import { floatNet } from './nets/float-net.js';
import { readConstants } from './lockfile.js';
import type { ModelFamily } from './model.js';

const constants = z.strictObject({
  scale: z.int().min(2).max(8),
  /**
   * Pixels around a tile that change its result. Every 3×3 convolution sees one further, but the last ones hardly matter:
   * with 16 instead of 34 Real-ESRGAN’s general net differs by 1 of 255 at most (83 dB).
   */
  overlap: z.int().nonnegative(),
});

/**
 * Real-ESRGAN's compact nets (SRVGGNetCompact) and others of the same signature, which take tiles of every size: SPAN,
 * MoSR, RealPLKSR.
 */
export const srvgg: ModelFamily = {
  name: 'srvgg',
  task: 'super-resolution',
  constants,
  takes: [planes(3)],
  gives: [planes(3)],
  wrap(entry, session) {
    const { scale, overlap } = readConstants(entry, constants);
    return { id: entry.id, scale, overlap, drifts: true, upscale: floatNet(entry, session, { scale }) };
  },
};
