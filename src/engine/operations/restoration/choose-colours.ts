import { measureColours } from '../../../models/colour/colourfulness.js';
import type { Pixels } from '../../media/media.js';
import type { ModelNeed } from '../operation.js';
import type { Strength } from '../faces/face-wish.js';
import type { Workbench } from '../workbench.js';
import type { Choice } from './diagnosis.js';

/** The model that colours need: for `auto` if it is installed, for a strength in any case, none for 0. */
export function colourNeeds(strength: Strength, wanted: string): ModelNeed[] {
  if (strength === 0) return [];
  return [{ task: 'colorization', wanted, param: 'colorize_model', optional: strength === 'auto' }];
}

/**
 * Distance from grey, in units of CIE Lab, that JPEG alone makes of a grey picture. Photographs with colours begin at 1.5 (a
 * street at night); a single tone such as sepia is not told from a brown thing, and left for whoever asks.
 */
const mostOfGrey = 1.2;

/** How much colour a picture, of which this is a small copy, is given, and why; by `auto` all of it if it has none. */
export function chooseColours(bench: Workbench, small: Pixels, strength: Strength): Choice {
  if (strength !== 'auto') return { amount: strength, reason: 'as asked' };
  const distance = measureColours(small);
  const reason = `its colours are up to ${distance.toFixed(1)} from grey`;
  if (distance > mostOfGrey) return { amount: 0, reason: `${reason}: it has some` };
  if (bench.has('colorization')) return { amount: 1, reason: `${reason}: it has none` };
  return {
    amount: 0,
    reason: `${reason}, but no model that gives colours is installed (npx darkroom models pull ddcolor)`,
  };
}
