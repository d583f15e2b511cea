import { z } from 'zod';
import { planes } from './family-tensors.js';
import { floatNet } from './nets/float-net.js';
import { readConstants } from './lockfile.js';
import type { ModelFamily } from './model.js';

const constants = z.strictObject({
  scale: z.int().min(2).max(8),
  /** Pixels around a tile that change its result measurably; what it sees at all is some 350. */
  overlap: z.int().nonnegative(),
  /** Of which both sides of a tile are multiples: nets for twice the size begin by folding 2×2 pixels into one. */
  multiple: z.int().positive(),
});

/** The large nets of ESRGAN and Real-ESRGAN (RRDBNet, arXiv 1809.00219 and 2107.10833). */
export const rrdbnet: ModelFamily = {
  name: 'rrdbnet',
  task: 'super-resolution',
  constants,
  takes: [planes(3)],
  gives: [planes(3)],
  wrap(entry, session) {
    const { scale, overlap, multiple } = readConstants(entry, constants);
    return { id: entry.id, scale, overlap, drifts: true, upscale: floatNet(entry, session, { scale, multiple }) };
  },
};
