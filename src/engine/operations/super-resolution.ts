import { z } from 'zod';
import { matchColours } from '../../models/matched-colours.js';
import type { PictureKind, UpscaleModel } from '../../models/model.js';
import type { ModelEntry } from '../../models/lockfile.js';
import { isDrawing, measurePicture } from '../../models/picture-facts.js';
import { createResampler } from '../../models/resample.js';
import { selfEnsemble } from '../../models/self-ensemble.js';
import { splitWhenShort, tileFor } from '../../models/tile-memory.js';
import { enlarge } from '../../models/tiling.js';
import { EngineError } from '../errors.js';
import { type OutputFormat, outputFormats, type Pixels, type Size } from '../media/media.js';
import type { ModelNeed, Operation, Outcome } from './operation.js';
import { middleOf } from './picture-middle.js';
import { flag, formatParam, modelParam, numberBetween, oneOf, wholeNumberBetween } from './params.js';
import { type Mixture, type PixelReader, twinOf, type Workbench } from './workbench.js';

const params = z.object({
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

type Params = z.output<typeof params>;

/** The factors that models have; a model of the smallest one that is enough comes first, whatever is left is resampled. */
const steps = [2, 4];

/** Enlarges a picture by any factor; transparency is kept. */
export const superResolution: Operation<Params> = {
  name: 'super-resolution',
  type: 'SUPER_RESOLUTION',
  command: 'upscale',
  idPrefix: 'sres',
  syncPaths: ['upscale'],
  lane: 'device',
  pictures: [{ field: 'image', required: true }],
  summary: 'Enlarges a picture by any factor',
  params,
  models: needs,
  async perform(bench, options) {
    bench.checkpoint('decode');
    const source = await bench.images.open(bench.input('image'));
    try {
      return await run(bench, { source, ...plan(source, options) }, options);
    } finally {
      await source.close();
    }
  },
};

/** A model for every kind of picture that may come, as far as they are installed; a model that was named is for all of them. */
function needs({ model, scale, target_width, content }: Params): ModelNeed[] {
  const task = 'super-resolution';
  if (model !== 'auto') return [{ task, wanted: model, twin: true }];
  const step = target_width === undefined ? stepFor(scale) : largestStep;
  const kinds: PictureKind[] = content === 'auto' ? ['photograph', 'drawing', 'damaged'] : [content, 'photograph'];
  const main: ModelNeed = { task, wanted: model, misfit: misfit('photograph', step), twin: true };
  const others = steps.flatMap((each) => kinds.map((kind) => ({ kind, step: each })));
  return [
    main,
    ...others.map(
      ({ kind, step: each }) =>
        ({
          task,
          slot: slotOf(kind, each),
          wanted: model,
          misfit: misfit(kind, each),
          twin: true,
          optional: true,
        }) satisfies ModelNeed,
    ),
  ];
}

const largestStep = Math.max(...steps);

function stepFor(factor: number): number {
  return steps.find((step) => step >= factor) ?? largestStep;
}

function slotOf(kind: PictureKind, step: number): string {
  return `${kind}-x${step}`;
}

function misfit(kind: PictureKind, step: number): NonNullable<ModelNeed['misfit']> {
  return ({ constants, suits = ['photograph'] }: ModelEntry) => {
    if (constants.scale !== step) return `it enlarges ${constants.scale} times, and ${step} times is needed`;
    return suits.includes(kind) ? null : `it is made for ${suits.join(' and ')}, not for ${kind}`;
  };
}

interface Plan {
  factor: number;
  size: Size;
}

function plan(source: Size, { scale, target_width, format }: Params): Plan {
  const factor = target_width === undefined ? scale : target_width / source.width;
  if (factor < 1) {
    const message = `Expected \`target_width\` to be at least the ${source.width} pixels of the picture, got ${target_width}`;
    throw new EngineError('invalid_input', message, { param: 'target_width' });
  }
  const size = {
    width: target_width ?? Math.max(1, Math.round(source.width * factor)),
    height: Math.max(1, Math.round(source.height * factor)),
  };
  checkFits(size, format);
  return { factor, size };
}

async function run(bench: Workbench, job: Plan & { source: PixelReader }, options: Params): Promise<Outcome> {
  const { source, factor, size } = job;
  const choice = await choose(bench, job, options);
  const model = prepared(choice.model, options);
  const target = await bench.images.create({ ...size, channels: source.channels, format: options.format });
  const reached = { width: source.width * model.scale, height: source.height * model.scale };
  const isReached = reached.width === size.width && reached.height === size.height;
  const write = isReached
    ? (rows: Pixels) => target.write(rows)
    : createResampler({
        from: { ...reached, channels: source.channels },
        to: size,
        write: (rows) => target.write(rows),
      }).push;
  const tile = await enlargeInMemory(source, model, { bench, options, write, fallback: choice.fallback });
  bench.checkpoint('encode');
  const isFlattened = source.channels === 4 && options.format === 'jpg';
  const flattened = isFlattened ? ['JPEG has no transparency: the picture was put on white'] : [];
  return {
    outputs: [await target.encode(options.format, { exif: await exifOf(bench, options) })],
    warnings: [...choice.warnings, ...flattened],
    facts: {
      scale: factor,
      step: model.scale,
      content: choice.kind,
      contentReason: choice.reason,
      tile,
      input: { width: source.width, height: source.height },
      output: size,
    },
    modelActual: choice.model.id,
  };
}

async function exifOf(bench: Workbench, { keep_metadata }: Params): Promise<Uint8Array | undefined> {
  return keep_metadata ? ((await bench.images.exif(bench.input('image'))) ?? undefined) : undefined;
}

interface Choice {
  model: UpscaleModel;
  fallback(): Promise<UpscaleModel | null>;
  kind: PictureKind | 'as named';
  reason: string;
  warnings: string[];
}

/** The model by what is in the picture, with its twin mixed in as asked. */
async function choose(
  bench: Workbench,
  { source, factor }: Plan & { source: PixelReader },
  options: Params,
): Promise<Choice> {
  const { kind, reason } = await kindOf(source, options);
  const slot = kind === 'as named' ? 'super-resolution' : installedSlot(bench, kind, stepFor(factor));
  const { mixture, warnings } = mix(bench, slot, options);
  return {
    model: await bench.model('super-resolution', mixture),
    fallback: () => bench.onCpu('super-resolution', mixture),
    kind,
    reason,
    warnings,
  };
}

/**
 * A model for the kind of picture goes before one for the step: twice larger by way of four times, noisy and compressed
 * pictures come out 0.4 to 1.5 dB better than by the clean model.
 */
function installedSlot(bench: Workbench, kind: PictureKind, step: number): string {
  const wanted = [slotOf(kind, step), slotOf(kind, largestStep), slotOf('photograph', step)];
  return wanted.find((slot) => bench.has(slot)) ?? 'super-resolution';
}

function mix(
  bench: Workbench,
  slot: string,
  { denoise_strength: share }: Params,
): { mixture: string | Mixture; warnings: string[] } {
  if (share === undefined || share === 1) return { mixture: slot, warnings: [] };
  if (bench.has(twinOf(slot))) return { mixture: { slot, share }, warnings: [] };
  return {
    mixture: slot,
    warnings: ['`denoise_strength` was ignored: the model that was chosen has no twin to mix with'],
  };
}

/** Pixels a side of the middle that is looked at: as many as make the measures reliable. */
const lookedAt = 512;

async function kindOf(source: PixelReader, { model, content }: Params): Promise<Pick<Choice, 'kind' | 'reason'>> {
  if (model !== 'auto') return { kind: 'as named', reason: 'a model was named' };
  if (content !== 'auto') return { kind: content, reason: '`content` says so' };
  const facts = measurePicture(await middleOf(source, lookedAt));
  if (facts.noise >= noisy) return { kind: 'damaged', reason: `noise of ${facts.noise.toFixed(1)} of 255` };
  if (facts.blockiness >= blocky) return { kind: 'damaged', reason: `JPEG blocks, ${facts.blockiness.toFixed(2)}` };
  if (isDrawing(facts)) return { kind: 'drawing', reason: `flat areas of ${Math.round(facts.flatness * 100)} %` };
  return { kind: 'photograph', reason: 'no noise, no JPEG blocks, no flat areas' };
}

// Seen on Kodak's and gb82's pictures: clean ones have noise up to 4 (grass, water) and blockiness up to 1.03; with noise
// of 15 it is 6 to 10, with JPEG of quality 50 and less blockiness is above 1.3 in most; drawings are flat to 60 %.
const noisy = 5.5;
const blocky = 1.35;

function prepared(found: UpscaleModel, { tta, tile_pad }: Params): UpscaleModel {
  const model = { ...found, overlap: tile_pad ?? found.overlap };
  const steady = model.drifts ? matchColours(model) : model;
  return tta ? selfEnsemble(steady) : steady;
}

interface Enlarging {
  bench: Workbench;
  options: Params;
  write(rows: Pixels): Promise<void>;
  fallback: Choice['fallback'];
}

/** Enlarges in tiles that memory has room for; returns their side. */
async function enlargeInMemory(source: PixelReader, model: UpscaleModel, job: Enlarging): Promise<number> {
  const { bench, options, write, fallback } = job;
  const tile = options.tile ?? tileFor(process.availableMemory());
  await enlarge(source, splitWhenShort(model), {
    write,
    tile,
    checkpoint: (fraction) => bench.checkpoint('infer', fraction),
    fallback: async () => {
      const other = await fallback();
      return other && splitWhenShort(prepared(other, options));
    },
  });
  return tile;
}

/** Longest side that a format can say. */
const maxSides = { png: 2 ** 31 - 1, webp: 16_383, jpg: 65_500 } satisfies Record<OutputFormat, number>;

/** Fails before the work rather than after it. */
function checkFits({ width, height }: Size, format: OutputFormat): void {
  if (Math.max(width, height) <= maxSides[format]) return;
  throw new EngineError(
    'too_large',
    `Expected a result of at most ${maxSides[format]} pixels a side for ${format}, it would be ${width} × ${height}; PNG can hold it`,
    { param: 'format' },
  );
}
