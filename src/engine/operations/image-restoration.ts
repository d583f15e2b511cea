import { faceNeeds } from './faces/face-wish.js';
import type { Operation } from './operation.js';
import { middleOf } from './picture-middle.js';
import { within } from './picture-rows.js';
import { chooseColours, colourNeeds } from './restoration/choose-colours.js';
import { chooseFaces } from './restoration/choose-faces.js';
import { diagnose } from './restoration/diagnosis.js';
import { mendScratches } from './restoration/mend-scratches.js';
import { params, type RestorationParams, wishFor } from './restoration/params.js';
import { repair } from './restoration/repair.js';

/** Longest side of what is looked at. */
const lookedAt = 512;

/**
 * Takes noise, compression, blur, scratches and wrong light out of a picture, restores its faces and gives it colours; what
 * is not asked for is measured or left alone.
 */
export const imageRestoration: Operation<RestorationParams> = {
  name: 'image-restoration',
  type: 'IMAGE_RESTORATION',
  command: 'restore',
  idPrefix: 'rest',
  syncPaths: ['restore'],
  lane: 'device',
  pictures: [{ field: 'image', required: true }],
  summary: 'Takes noise, compression, blur, scratches and wrong light out of a picture; restores faces, gives colours',
  params,
  models: (options) => [
    { task: 'image-restoration', wanted: options.model },
    { task: 'inpainting', wanted: 'auto', optional: true },
    ...faceNeeds(wishFor(options, 'faces'), options.face_model),
    ...colourNeeds(wishFor(options, 'colorize'), options.colorize_model),
  ],
  async perform(bench, options) {
    bench.checkpoint('decode');
    const given = bench.input('image');
    const facts = await bench.images.facts(given, 'image');
    const { path, ...scratches } = await mendScratches(bench, given, wishFor(options, 'scratches'));
    const source = await bench.images.open(path);
    try {
      const small = await bench.images.decode(path, { size: within(facts, lookedAt) });
      const jpegQuality = await bench.images.jpegQuality(given);
      const plan = diagnose({ middle: await middleOf(source, lookedAt), small, options, jpegQuality });
      const { faces, warnings, ...choice } = await chooseFaces(
        bench,
        { path, source, jpegQuality },
        wishFor(options, 'faces'),
      );
      const colorize = chooseColours(bench, small, wishFor(options, 'colorize'));
      Object.assign(plan.chosen, { scratches, faces: choice, colorize });
      return await repair(bench, { path, source, plan, faces, warnings }, options);
    } finally {
      await source.close();
    }
  },
};
