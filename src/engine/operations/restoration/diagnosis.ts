import type { Damage } from '../../../models/model.js';
import { measurePicture } from '../../../models/pixels/picture-facts.js';
import {
  hasCast,
  isBadlyExposed,
  measureTones,
  type ToneCurves,
  toneCurves,
} from '../../../models/colour/tone-repair.js';
import type { Pixels } from '../../media/media.js';
import type { Strength } from '../faces/face-wish.js';
import { type RestorationParams, wishFor } from './params.js';

/** What is to be done, and why. */
export interface Plan {
  damage: Damage;
  curves: ToneCurves | null;
  /** What was chosen, and why, for the debug block. */
  chosen: Record<string, Choice>;
}

export interface Sight {
  /** A part at its own size, in which noise and blocks can be seen. */
  middle: Pixels;
  /** All of it, small. */
  small: Pixels;
  /** Of a JPEG file; null for other formats, which may have been JPEG before. */
  jpegQuality: number | null;
  options: RestorationParams;
}

/** What is wrong with the picture, as given or as measured. */
export function diagnose({ middle, small, jpegQuality, options }: Sight): Plan {
  const found = measurePicture(middle);
  const tones = measureTones(small);
  const chosen = {
    denoise: choose(wishFor(options, 'denoise', 'auto'), () => noiseIn(found.noise)),
    deblock: choose(wishFor(options, 'deblock', 'auto'), () => compressionIn(found.blockiness, jpegQuality)),
    deblur: choose(wishFor(options, 'deblur'), () => blurIn(found.sharpness, found.noise)),
    white_balance: choose(wishFor(options, 'white_balance'), () =>
      hasCast(tones)
        ? {
            amount: 0.8,
            reason: `the light is coloured: red ${ratio(tones.light.red)}, blue ${ratio(tones.light.blue)} of green`,
          }
        : { amount: 0, reason: 'no cast that is sure' },
    ),
    exposure: choose(wishFor(options, 'exposure'), () =>
      isBadlyExposed(tones)
        ? {
            amount: 0.7,
            reason: `levels from ${tones.black} to ${tones.white}, median at ${ratio(tones.middle)} of them`,
          }
        : { amount: 0, reason: 'the range is used' },
    ),
  };
  const { denoise, deblock, deblur, white_balance: whiteBalance, exposure } = chosen;
  const needsCurves = whiteBalance.amount > 0 || exposure.amount > 0;
  return {
    damage: { noise: mostNoise * denoise.amount, jpeg: deblock.amount, blur: mostBlur * deblur.amount },
    curves: needsCurves ? toneCurves(tones, { whiteBalance: whiteBalance.amount, exposure: exposure.amount }) : null,
    chosen,
  };
}

/** How much is done, 0..1, and why. */
export interface Choice {
  amount: number;
  reason: string;
}

/** As asked, or as it is measured. */
export function choose(given: Strength, measure: () => Choice): Choice {
  return given === 'auto' ? measure() : { amount: given, reason: 'as asked' };
}

/** What a strength of 1 means. */
const mostNoise = 50;
const mostBlur = 2;

// Clean photographs measure up to 4 where they are all grass and water: taking that out would take detail.
const leastNoise = 4.5;

// Of independent noise in three colours 0.67 is left in the luma, and the patches that are looked at are the quietest:
// over Kodak's pictures with known noise the measure came to 0.62 of it.
const seenOfNoise = 0.62;

/** Of noise of so many levels in the luma. */
export function noiseIn(measured: number): Choice {
  const text = `noise of ${measured.toFixed(1)} levels in the smooth parts`;
  if (measured < leastNoise) return { amount: 0, reason: `${text}: none to speak of` };
  return { amount: Math.min(1, measured / seenOfNoise / mostNoise), reason: text };
}

// From this quality on nothing can be seen of JPEG at the size of a pixel.
const goodQuality = 88;

/** Of steps between blocks, or of the quality that a JPEG file says it has. */
export function compressionIn(blockiness: number, quality: number | null): Choice {
  if (quality !== null) {
    const reason = `JPEG of quality ${quality}`;
    return quality >= goodQuality ? { amount: 0, reason } : { amount: (100 - quality) / 100, reason };
  }
  const reason = `steps on 8 × 8 blocks are ${ratio(blockiness)} of those beside them`;
  // On Kodak's and gb82's pictures: 1.0 without JPEG, 1.1 to 1.5 at quality 80, 1.3 to 2.7 at 20.
  return blockiness < 1.2 ? { amount: 0, reason } : { amount: Math.min(0.9, 0.3 + (blockiness - 1.2) * 0.6), reason };
}

/** Of the share of the sharpest edges within one pixel. */
export function blurIn(sharpness: number, noise: number): Choice {
  const reason = `the sharpest edges rise by ${ratio(sharpness)} in one pixel`;
  // A soft picture with noise is one that was focused elsewhere as often as not.
  if (sharpness >= 0.5 || noise >= leastNoise) return { amount: 0, reason: `${reason}: sharp, or not surely blurred` };
  return { amount: Math.min(1, 0.35 / sharpness / mostBlur), reason };
}

function ratio(value: number): string {
  return value.toFixed(2);
}
