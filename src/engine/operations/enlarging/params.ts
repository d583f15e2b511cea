import { z } from 'zod';
import { outputFormats } from '../../media/media.js';
import { flag, formatParam, modelParam, numberBetween, oneOf, strengthOrFlag, wholeNumberBetween } from '../params.js';

/** Everything that can be said of an enlargement. */
export const params = z.object({
  scale: numberBetween(1, 16).default(2).describe('How many times as wide and as high; fractions too'),
  target_width: wholeNumberBetween(1, 200_000)
    .optional()
    .describe('Width of the result in pixels, instead of `scale`; the height follows'),
  model: modelParam(),
  content: oneOf(['auto', 'photograph', 'drawing', 'damaged'])
    .default('auto')
    .describe('What the picture is, for the choice of the model; `damaged` is a picture with noise or compression'),
  denoise_strength: numberBetween(0, 1)
    .optional()
    .describe(
      'How much noise and compression is taken out, for models that have a twin without; default: all the model takes',
    ),
  face_enhance: strengthOrFlag()
    .default(0)
    .describe(
      'Faces to restore in the result, true for all that the model makes of them; needs a model that is pulled',
    ),
  face_model: modelParam().describe('Id of the model that restores faces, or `auto`'),
  tta: flag()
    .default(false)
    .describe('Average over the eight turns and mirrors: eight times the work, a little better'),
  tile: wholeNumberBetween(64, 2048)
    .optional()
    .describe('Longest side of a tile in pixels of the input; default: 384, less when memory is short'),
  tile_pad: wholeNumberBetween(0, 256)
    .optional()
    .describe(
      'Pixels around a tile that are run with it; default: as far as the network looks, so that no seam can be seen',
    ),
  format: formatParam(outputFormats),
  keep_metadata: flag()
    .default(false)
    .describe('Keep the EXIF block: date, camera, copyright, place; the result has none otherwise'),
});

export type EnlargingParams = z.output<typeof params>;
