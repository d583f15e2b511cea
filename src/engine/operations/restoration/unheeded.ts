import { type Damage, damages, type RestoreModel } from '../../../models/model.js';

/** The strengths of a request, by the damage that they are for. */
const params = { noise: 'denoise', jpeg: 'deblock', blur: 'deblur' } as const satisfies Record<keyof Damage, string>;

type Strengths = Partial<Record<(typeof params)[keyof Damage], number | 'auto' | undefined>>;

/** Warnings for what a model does not do as it was asked: it mends other damage, or always all of it. */
export function unheeded({ id, mends, isBlind }: RestoreModel, damage: Damage, strengths: Strengths): string[] {
  const names = (kinds: readonly (keyof Damage)[]) => kinds.map((kind) => `\`${params[kind]}\``).join(' and ');
  const warnings: string[] = [];
  const left = damages.filter((kind) => damage[kind] > 0 && !mends.includes(kind));
  if (left.length > 0) warnings.push(`Model "${id}" does nothing for ${names(left)}`);
  if (!isBlind) return warnings;
  const isIdle = mends.every((kind) => damage[kind] === 0);
  if (isIdle) warnings.push(`Model "${id}" had nothing to do: ask it for ${names(mends)}`);
  const isPartly = mends.some((kind) => {
    const strength = strengths[params[kind]];
    return typeof strength === 'number' && strength > 0 && strength < 1;
  });
  if (isPartly) warnings.push(`Model "${id}" sees for itself how much is wrong: every strength above 0 is the same`);
  return warnings;
}
