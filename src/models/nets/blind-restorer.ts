import { z } from 'zod';
import { floatNet } from './float-net.js';
import { type ModelEntry, readConstants } from '../lockfile.js';
import { type Damage, damages, type RestoreModel } from '../model.js';
import type { ModelSession } from '../session.js';

export const blindConstants = z.strictObject({
  /** Pixels around a tile that change its result measurably. */
  overlap: z.int().nonnegative(),
  /** Of which both sides of a tile are multiples. */
  multiple: z.int().positive(),
  /** What it was trained to take out. */
  mends: z.array(z.enum(damages)).min(1),
});

/** A network that sees for itself how much is wrong: it runs or it does not, a tile without such damage stays what it is. */
export function blindRestorer(entry: ModelEntry, session: ModelSession): RestoreModel {
  const { overlap, multiple, mends } = readConstants(entry, blindConstants);
  const restore = floatNet(entry, session, { multiple });
  const isDamaged = (damage: Damage) => mends.some((kind) => damage[kind] > 0);
  return {
    id: entry.id,
    overlap,
    mends,
    isBlind: true,
    restore: async (tile, damage) => (isDamaged(damage) ? restore(tile) : tile),
  };
}
