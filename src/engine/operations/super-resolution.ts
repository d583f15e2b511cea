import { matchColours } from '../../models/tiling/matched-colours.js';
import type { UpscaleModel } from '../../models/model.js';
import { createResampler } from '../../models/pixels/resample.js';
import { selfEnsemble } from '../../models/tiling/self-ensemble.js';
import { splitWhenShort, tileFor } from '../../models/tiling/tile-memory.js';
import { enlarge } from '../../models/tiling/tiling.js';
import { EngineError } from '../errors.js';
import type { OutputFormat, Pixels, Size } from '../media/media.js';
import { type Choice, chooseModel, enlargingNeeds } from './enlarging/choose-model.js';
import { chooseFaces, writeWithFaces } from './enlarging/enhance-faces.js';
import { type EnlargingParams, params } from './enlarging/params.js';
import { faceNeeds } from './faces/face-wish.js';
import type { Operation, Outcome } from './operation.js';
import type { PixelReader, PixelWriter, Workbench } from './workbench.js';

/** Enlarges a picture by any factor; transparency is kept. */
export const superResolution: Operation<EnlargingParams> = {
  name: 'super-resolution',
  type: 'SUPER_RESOLUTION',
  command: 'upscale',
  idPrefix: 'sres',
  syncPaths: ['upscale'],
  lane: 'device',
  pictures: [{ field: 'image', required: true }],
  summary: 'Enlarges a picture by any factor',
  params,
  models: (options) => [...enlargingNeeds(options), ...faceNeeds(options.face_enhance, options.face_model)],
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

interface Plan {
  factor: number;
  size: Size;
}

function plan(source: Size, { scale, target_width, format }: EnlargingParams): Plan {
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

async function run(bench: Workbench, job: Plan & { source: PixelReader }, options: EnlargingParams): Promise<Outcome> {
  const { source, factor, size } = job;
  const choice = await chooseModel(bench, job, options);
  const faces = await chooseFaces(bench, job, options.face_enhance);
  const model = prepared(choice.model, options);
  const shape = { ...size, channels: source.channels };
  const target = await bench.images.create({ ...shape, format: options.format });
  // A face is cropped out of the whole picture, so the whole picture must be there.
  const first = faces.amount > 0 ? await bench.images.create(shape) : target;
  const tile = await enlargeInto(first, { bench, source, model, options, fallback: choice.fallback });
  if (first !== target) await writeWithFaces(bench, { enlarged: first, target, choice: faces });
  bench.checkpoint('encode');
  const isFlattened = source.channels === 4 && options.format === 'jpg';
  const flattened = isFlattened ? ['JPEG has no transparency: the picture was put on white'] : [];
  return {
    outputs: [await target.encode(options.format, { exif: await exifOf(bench, options) })],
    warnings: [...choice.warnings, ...faces.warnings, ...flattened],
    facts: {
      scale: factor,
      step: model.scale,
      content: choice.kind,
      contentReason: choice.reason,
      tile,
      ...(options.face_enhance === 0 ? {} : { faces: { amount: faces.amount, reason: faces.reason } }),
      input: { width: source.width, height: source.height },
      output: size,
    },
    modelActual: choice.model.id,
  };
}

async function exifOf(bench: Workbench, { keep_metadata }: EnlargingParams): Promise<Uint8Array | undefined> {
  return keep_metadata ? ((await bench.images.exif(bench.input('image'))) ?? undefined) : undefined;
}

function prepared(found: UpscaleModel, { tta, tile_pad }: EnlargingParams): UpscaleModel {
  const model = { ...found, overlap: tile_pad ?? found.overlap };
  const steady = model.drifts ? matchColours(model) : model;
  return tta ? selfEnsemble(steady) : steady;
}

interface Enlarging {
  bench: Workbench;
  options: EnlargingParams;
  source: PixelReader;
  model: UpscaleModel;
  fallback: Choice['fallback'];
}

/** Enlarges to the size of `target`, in tiles that memory has room for; returns their side. */
async function enlargeInto(target: PixelWriter, job: Enlarging): Promise<number> {
  const { bench, options, source, model, fallback } = job;
  const tile = options.tile ?? tileFor(process.availableMemory());
  await enlarge(source, splitWhenShort(model), {
    write: fitted(target, { width: source.width * model.scale, height: source.height * model.scale }),
    tile,
    checkpoint: (fraction) => bench.checkpoint('infer', fraction),
    fallback: async () => {
      const other = await fallback();
      return other && splitWhenShort(prepared(other, options));
    },
  });
  return tile;
}

/** What takes rows of a picture of size `reached` and writes them at the size of `target`. */
function fitted(target: PixelWriter, reached: Size): (rows: Pixels) => Promise<void> {
  const write = (rows: Pixels) => target.write(rows);
  const { width, height, channels } = target;
  if ((reached.width === width && reached.height === height) || channels === 1) return write;
  return createResampler({ from: { ...reached, channels }, to: { width, height }, write }).push;
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
