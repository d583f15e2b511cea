import { z } from 'zod';
import { outputFormats } from '../../media/media.js';
import type { Strength } from '../faces/face-wish.js';
import { flag, formatParam, modelParam, strength, strengthOrFlag } from '../params.js';

/** Everything that can be said of a restoration; each strength is 0 to 1, or `auto` to let the picture decide. */
export const params = z.object({
  auto: flag().default(false).describe('Let everything that is not given be `auto`'),
  denoise: strength().optional().describe('Noise to take out, 1 for a deviation of 50 levels; default: auto'),
  deblock: strength().optional().describe('JPEG compression to take out, 1 for the worst; default: auto'),
  deblur: strength().optional().describe('Blur to take out, 1 for a Gaussian of 2 pixels; default: 0'),
  scratches: strength().optional().describe('Thin long scratches to find and fill, 1 for the faintest; default: 0'),
  white_balance: strength().optional().describe('How much of the cast of the light to take out; default: 0'),
  exposure: strength()
    .optional()
    .describe('How much of a missing range or a wrong brightness to make good; default: 0'),
  faces: strength()
    .optional()
    .describe('Faces to restore, 1 for all that the model makes of them; needs a model that is pulled; default: 0'),
  colorize: strength()
    .optional()
    .describe('Colours to give a grey picture, 1 for all of them; needs a model that is pulled; default: 0'),
  face_enhance: strengthOrFlag()
    .optional()
    .describe('Another name for `faces`, also true or false; default: not given'),
  scratch_removal: strengthOrFlag()
    .optional()
    .describe('Another name for `scratches`, also true or false; default: not given'),
  tta: flag()
    .default(false)
    .describe('Average over the eight turns and mirrors: eight times the work, a little better'),
  model: modelParam(),
  face_model: modelParam().describe('Id of the model that restores faces, or `auto`'),
  colorize_model: modelParam().describe('Id of the model that gives colours, or `auto`'),
  format: formatParam(outputFormats),
});

export type RestorationParams = z.output<typeof params>;

/** The params that are strengths. */
export type Repair = {
  [Name in keyof RestorationParams]-?: Strength extends NonNullable<RestorationParams[Name]> ? Name : never;
}[keyof RestorationParams];

/** What others call them. */
const otherNames: { readonly [Name in Repair]?: Repair } = { faces: 'face_enhance', scratches: 'scratch_removal' };

/** How strongly to do a repair: as asked, otherwise `auto` where everything is, and what it usually is where not. */
export function wishFor(options: RestorationParams, repair: Repair, usual: Strength = 0): Strength {
  const other = otherNames[repair];
  const asked = options[repair] ?? (other === undefined ? undefined : options[other]);
  return asked ?? (options.auto ? 'auto' : usual);
}
