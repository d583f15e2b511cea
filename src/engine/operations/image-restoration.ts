import { z } from 'zod';
import type { Damage, RestoreModel, UpscaleModel } from '../../models/model.js';
import {
  applyCurves,
  hasCast,
  isBadlyExposed,
  measureTones,
  type ToneCurves,
  toneCurves,
} from '../../models/tone-repair.js';
import { measurePicture } from '../../models/picture-facts.js';
import { selfEnsemble } from '../../models/self-ensemble.js';
import { splitWhenShort, tileFor } from '../../models/tile-memory.js';
import { enlarge } from '../../models/tiling.js';
import { outputFormats, type Pixels } from '../media/media.js';
import type { Operation, Outcome } from './operation.js';
import { flag, formatParam, modelParam, strength } from './params.js';
import { middleOf } from './picture-middle.js';
import { bands, within } from './picture-rows.js';
import { mendScratches } from './restoration/mend-scratches.js';
import { unheeded } from './restoration/unheeded.js';
import type { PixelReader, Workbench } from './workbench.js';

const params = z.object({
  auto: flag().default(false).describe('Let everything that is not given be `auto`'),
  denoise: strength().optional().describe('Noise to take out, 1 for a deviation of 50 levels; default: auto'),
  deblock: strength().optional().describe('JPEG compression to take out, 1 for the worst; default: auto'),
  deblur: strength().optional().describe('Blur to take out, 1 for a Gaussian of 2 pixels; default: 0'),
  scratches: strength().optional().describe('Thin long scratches to find and fill, 1 for the faintest; default: 0'),
  white_balance: strength().optional().describe('How much of the cast of the light to take out; default: 0'),
  exposure: strength()
    .optional()
    .describe('How much of a missing range or a wrong brightness to make good; default: 0'),
  tta: flag()
    .default(false)
    .describe('Average over the eight turns and mirrors: eight times the work, a little better'),
  model: modelParam(),
  format: formatParam(outputFormats),
});

type Params = z.output<typeof params>;

/** Takes noise, compression, blur, scratches and wrong light out of a picture; what is not asked for is measured or left alone. */
export const imageRestoration: Operation<Params> = {
  name: 'image-restoration',
  type: 'IMAGE_RESTORATION',
  command: 'restore',
  idPrefix: 'rest',
  syncPaths: ['restore'],
  lane: 'device',
  pictures: [{ field: 'image', required: true }],
  summary: 'Takes noise, compression, blur, scratches and wrong light out of a picture',
  params,
  models: ({ model }) => [
    { task: 'image-restoration', wanted: model },
    { task: 'inpainting', wanted: 'auto', optional: true },
  ],
  async perform(bench, options) {
    bench.checkpoint('decode');
    const given = bench.input('image');
    const facts = await bench.images.facts(given, 'image');
    const { path, ...scratches } = await mendScratches(bench, given, options.scratches ?? (options.auto ? 'auto' : 0));
    const source = await bench.images.open(path);
    try {
      const small = await bench.images.decode(path, { size: within(facts, lookedAt) });
      const plan = diagnose({
        middle: await middleOf(source, lookedAt),
        small,
        options,
        jpegQuality: await bench.images.jpegQuality(given),
      });
      plan.chosen.scratches = scratches;
      return await repair(bench, { source, plan }, options);
    } finally {
      await source.close();
    }
  },
};

/** Longest side of what is looked at. */
const lookedAt = 512;

interface Plan {
  damage: Damage;
  curves: ToneCurves | null;
  /** What was chosen, and why, for the debug block. */
  chosen: Record<string, { amount: number; reason: string }>;
}

interface Sight {
  /** A part at its own size, in which noise and blocks can be seen. */
  middle: Pixels;
  /** All of it, small. */
  small: Pixels;
  /** Of a JPEG file; null for other formats, which may have been JPEG before. */
  jpegQuality: number | null;
  options: Params;
}

/** What is wrong with the picture, as given or as measured. */
function diagnose({ middle, small, jpegQuality, options }: Sight): Plan {
  const found = measurePicture(middle);
  const tones = measureTones(small);
  const wish = (given: Params['denoise'], usual: 'auto' | 0) => given ?? (options.auto ? 'auto' : usual);
  const chosen = {
    denoise: choose(wish(options.denoise, 'auto'), () => noiseIn(found.noise)),
    deblock: choose(wish(options.deblock, 'auto'), () => compressionIn(found.blockiness, jpegQuality)),
    deblur: choose(wish(options.deblur, 0), () => blurIn(found.sharpness, found.noise)),
    white_balance: choose(wish(options.white_balance, 0), () =>
      hasCast(tones)
        ? {
            amount: 0.8,
            reason: `the light is coloured: red ${ratio(tones.light.red)}, blue ${ratio(tones.light.blue)} of green`,
          }
        : { amount: 0, reason: 'no cast that is sure' },
    ),
    exposure: choose(wish(options.exposure, 0), () =>
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

interface Choice {
  amount: number;
  reason: string;
}

function choose(given: number | 'auto', measure: () => Choice): Choice {
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

function noiseIn(measured: number): Choice {
  const text = `noise of ${measured.toFixed(1)} levels in the smooth parts`;
  if (measured < leastNoise) return { amount: 0, reason: `${text}: none to speak of` };
  return { amount: Math.min(1, measured / seenOfNoise / mostNoise), reason: text };
}

// From this quality on nothing can be seen of JPEG at the size of a pixel.
const goodQuality = 88;

function compressionIn(blockiness: number, quality: number | null): Choice {
  if (quality !== null) {
    const reason = `JPEG of quality ${quality}`;
    return quality >= goodQuality ? { amount: 0, reason } : { amount: (100 - quality) / 100, reason };
  }
  const reason = `steps on 8 × 8 blocks are ${ratio(blockiness)} of those beside them`;
  // On Kodak's and gb82's pictures: 1.0 without JPEG, 1.1 to 1.5 at quality 80, 1.3 to 2.7 at 20.
  return blockiness < 1.2 ? { amount: 0, reason } : { amount: Math.min(0.9, 0.3 + (blockiness - 1.2) * 0.6), reason };
}

function blurIn(sharpness: number, noise: number): Choice {
  const reason = `the sharpest edges rise by ${ratio(sharpness)} in one pixel`;
  // A soft picture with noise is one that was focused elsewhere as often as not.
  if (sharpness >= 0.5 || noise >= leastNoise) return { amount: 0, reason: `${reason}: sharp, or not surely blurred` };
  return { amount: Math.min(1, 0.35 / sharpness / mostBlur), reason };
}

function ratio(value: number): string {
  return value.toFixed(2);
}

async function repair(bench: Workbench, job: { source: PixelReader; plan: Plan }, options: Params): Promise<Outcome> {
  const { source, plan } = job;
  const { damage, curves, chosen } = plan;
  const { width, height, channels } = source;
  const target = await bench.images.create({ width, height, channels, format: options.format });
  const write = (rows: Pixels) => {
    if (curves) applyCurves(rows, curves);
    return target.write(rows);
  };
  const isDamaged = Object.values(damage).some((amount) => amount > 0);
  const model = isDamaged || options.model !== 'auto' ? await bench.model('image-restoration') : null;
  if (model && isDamaged) await restoreTiles(bench, { source, model, damage, tta: options.tta, write });
  else for await (const { rows } of bands(bench, source)) await write(rows);
  bench.checkpoint('encode');
  const isFlattened = channels === 4 && options.format === 'jpg';
  return {
    outputs: [await target.encode(options.format)],
    warnings: [
      ...(model ? unheeded(model, damage, options) : []),
      ...(isFlattened ? ['JPEG has no transparency: the picture was put on white'] : []),
    ],
    facts: { chosen, input: { width, height }, output: { width, height } },
  };
}

interface Tiles {
  source: PixelReader;
  model: RestoreModel;
  damage: Damage;
  /** Whether all turns and mirrors are averaged. */
  tta: boolean;
  write(rows: Pixels): Promise<void>;
}

async function restoreTiles(bench: Workbench, { source, model, damage, tta, write }: Tiles): Promise<void> {
  const prepared = (each: RestoreModel) => (tta ? selfEnsemble(asUpscaler(each, damage)) : asUpscaler(each, damage));
  await enlarge(source, splitWhenShort(prepared(model)), {
    write,
    tile: tileFor(process.availableMemory()),
    checkpoint: (fraction) => bench.checkpoint('infer', fraction),
    fallback: async () => {
      const other = await bench.onCpu('image-restoration');
      return other && prepared(other);
    },
  });
}

/** A restoring model enlarges by one: tiles, seams and transparency are the same matter. */
function asUpscaler({ id, overlap, restore }: RestoreModel, damage: Damage): UpscaleModel {
  return { id, overlap, scale: 1, upscale: (tile) => restore(tile, damage) };
}
