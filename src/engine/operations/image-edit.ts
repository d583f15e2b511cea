import { colourStatistics, transferColours } from '../../models/colour-transfer.js';
import { createResampler } from '../../models/resample.js';
import { sharpening } from '../../models/sharpen.js';
import { enlarge } from '../../models/tiling.js';
import type { OutputFormat, Pixels, Size } from '../media/media.js';
import type { ImageOrder, OrderedPicture, PictureRole } from '../order.js';
import { type EditWishes, readEditPrompt } from '../studio/edit-wording.js';
import { erase, outpaint } from './edit/erase.js';
import { lightCurve, relight } from './edit/light.js';
import { canvasFor, type EditParams, params, readSize } from './edit/params.js';
import type { Operation, Outcome, Step } from './operation.js';
import type { PixelReader, Workbench } from './workbench.js';

/** Concrete name of what this machine does, which is no model that reads prompts. */
const localModel = 'local-edit';

/** Edits a picture: fills a mask, goes on beyond its borders, changes its background, light and colours. */
export const imageEdit: Operation<EditParams> = {
  name: 'image-edit',
  type: 'IMAGE_EDIT',
  command: 'edit',
  idPrefix: 'img',
  syncPaths: ['edits'],
  lane: 'device',
  pictures: [{ field: 'image', required: true, max: 16 }, { field: 'mask' }, { field: 'style_reference' }],
  summary: 'Edits a picture: fills a mask, goes on beyond its borders, changes its background, light and colours',
  params,
  models: ({ inpaint_model }) => [{ task: 'inpainting', wanted: inpaint_model }],
  steps: backgroundSteps,
  order: orderOf,
  local: [
    {
      model: localModel,
      names: [],
      capabilities: { input: 'any', n: 'any', size: 'any', background: 'any', references: 'any' },
      isLastResort: true,
    },
  ],
  async perform(bench, options) {
    const wishes = readEditPrompt(options.prompt);
    const hasMask = bench.inputs('mask').length > 0;
    bench.checkpoint('decode');
    let path = bench.input('image');
    const begin = await bench.images.facts(path, 'image');
    const done: string[] = [];
    const apply = async (name: string, work: () => Promise<string>) => {
      path = await work();
      done.push(name);
    };
    const kit = bench.images.between();
    if (hasMask) await apply('erase', () => reading(bench, path, (source) => erase(bench, source, { kit, options })));
    if (bench.inputs('style_reference').length > 0) await apply('style', () => takeStyle(bench, path, options));
    const isReplaced = backgroundSteps(options).length > 0;
    if (isReplaced) await apply('background', async () => (await replaceBackground(bench, path)) ?? path);
    const canvas = isReplaced ? null : canvasFor(begin, options);
    if (canvas)
      await apply('outpaint', () => reading(bench, path, (source) => outpaint(bench, source, { kit, canvas })));
    if (wishes.sharpen) await apply('sharpen', () => sharpen(bench, path));
    return finish(bench, { path, wishes, options, done, hasMask });
  },
};

/** What a prompt asks for in the background is a cut-out on that background. */
function backgroundSteps(options: EditParams): Step[] {
  const { background: wanted, shadow } = readEditPrompt(options.prompt);
  const background = options.background === 'transparent' ? { kind: 'transparent' as const } : wanted;
  if (!background && !shadow) return [];
  const canvas = options.size === 'auto' ? {} : { size: options.size };
  const shadowed = shadow ? { shadow } : {};
  return [{ operation: 'background-removal', params: { ...canvas, ...shadowed, ...backdropOf(background) } }];
}

function backdropOf(background: EditWishes['background']): Record<string, unknown> {
  // A shadow needs something to fall on.
  if (!background) return { bg_color: '#ffffff' };
  if (background.kind === 'transparent') return {};
  if (background.kind === 'gradient')
    return { backdrop: 'gradient', bg_color: background.from, bg_color_to: background.to };
  return { bg_color: background.colour, ...(background.kind === 'studio' && { backdrop: 'studio' }) };
}

async function replaceBackground(bench: Workbench, picture: string): Promise<string | undefined> {
  const outcome = await bench.step(0, { picture, isLast: false });
  return outcome.outputs[0]?.path;
}

/** Longest side of the copies from which statistics are taken. */
const lookedAt = 512;

/** Gives a picture the colours and tones of another: their mean and spread, not its content. */
async function takeStyle(bench: Workbench, path: string, { style_strength: strength }: EditParams): Promise<string> {
  const statistics = async (each: string, param: string) => {
    const size = within(await bench.images.facts(each, param), lookedAt);
    return colourStatistics(await bench.images.decode(each, { size }));
  };
  const to = await statistics(bench.input('style_reference'), 'style_reference');
  const from = await statistics(path, 'image');
  return reading(bench, path, async (source) => {
    const { width, height, channels } = source;
    const target = await bench.images.between().create({ width, height, channels });
    for await (const rows of bands(bench, source)) {
      transferColours(rows, { from, to, strength });
      await target.write(rows);
    }
    return (await target.encode('png')).path;
  });
}

async function sharpen(bench: Workbench, path: string): Promise<string> {
  return reading(bench, path, async (source) => {
    const { width, height, channels } = source;
    const target = await bench.images.between().create({ width, height, channels });
    await enlarge(source, sharpening(0.8), {
      write: (rows) => target.write(rows),
      checkpoint: (fraction) => bench.checkpoint('compose', fraction),
    });
    return (await target.encode('png')).path;
  });
}

interface Finishing {
  path: string;
  wishes: EditWishes;
  options: EditParams;
  done: string[];
  hasMask: boolean;
}

/** Light, size and format in one pass, and what there is to say. */
async function finish(bench: Workbench, job: Finishing): Promise<Outcome> {
  const { path, wishes, options, done, hasMask } = job;
  return reading(bench, path, async (source) => {
    const format = formatOf(options, wishes);
    const size = sizeOf(source, options);
    const curve = lightCurve(wishes.light);
    if (curve) done.push('light');
    const target = await bench.images.create({ ...size, channels: source.channels, format });
    const isSame = size.width === source.width && size.height === source.height;
    const write = isSame
      ? (rows: Pixels) => target.write(rows)
      : createResampler({ from: source, to: size, write: (rows) => target.write(rows) }).push;
    for await (const rows of bands(bench, source)) {
      if (curve) relight(rows, curve);
      await write(rows);
    }
    bench.checkpoint('encode');
    const { output_compression: quality } = options;
    const output = await target.encode(format, quality === undefined ? {} : { quality: Math.max(1, quality) });
    const warnings = warningsOf(bench, { wishes, options, done, hasMask });
    return {
      outputs: [output],
      warnings,
      facts: { done, understood: understood(wishes), output: size },
      modelActual: localModel,
    };
  });
}

function formatOf({ output_format, background }: EditParams, wishes: EditWishes): OutputFormat {
  const isTransparent = background === 'transparent' || wishes.background?.kind === 'transparent';
  if (isTransparent && output_format !== 'webp') return 'png';
  return output_format === 'jpeg' ? 'jpg' : output_format;
}

/** Fitted into the size that was asked for; what is larger has been painted on before. */
function sizeOf(source: Size, { size }: EditParams): Size {
  const wanted = readSize(size);
  if (!wanted) return { width: source.width, height: source.height };
  const factor = Math.min(1, wanted.width / source.width, wanted.height / source.height);
  return {
    width: Math.max(1, Math.round(source.width * factor)),
    height: Math.max(1, Math.round(source.height * factor)),
  };
}

function warningsOf(bench: Workbench, { wishes, options, done, hasMask }: Omit<Finishing, 'path'>): string[] {
  const warnings: string[] = [];
  if (wishes.unknown.length > 0) {
    const words = wishes.unknown.slice(0, 12).join(' ');
    const filled = hasMask ? '; the mask was filled from what is around it' : '';
    warnings.push(`Not understood and not done, since no model that reads prompts is configured: ${words}${filled}`);
  }
  if (wishes.erase && !hasMask) warnings.push('Something is to be removed, but no `mask` says where');
  if (done.length === 0) warnings.push('Nothing was done to the picture');
  const others = bench.inputs('image').length - 1;
  if (others > 0)
    warnings.push(`Only the first picture was edited; ${others} more came, which need a model that reads prompts`);
  if (options.n > 1) warnings.push(`One result instead of ${options.n}: this machine would make the same again`);
  return warnings;
}

/** What of the prompt was done, in the words of its grammar. */
function understood({
  background,
  shadow,
  light,
  sharpen: isSharp,
  erase: isErased,
}: EditWishes): Record<string, unknown> {
  return { background, shadow, light, sharpen: isSharp, erase: isErased };
}

async function reading<Result>(
  bench: Workbench,
  path: string,
  work: (source: PixelReader) => Promise<Result>,
): Promise<Result> {
  const source = await bench.images.open(path);
  try {
    return await work(source);
  } finally {
    await source.close();
  }
}

// Few enough to stay in the cache of a core, enough to keep the disk out of it.
const rowsAtATime = 128;

async function* bands(bench: Workbench, source: PixelReader): AsyncGenerator<Pixels> {
  for (let top = 0; top < source.height; top += rowsAtATime) {
    bench.checkpoint('compose', top / source.height);
    yield await source.readRows(top, Math.min(rowsAtATime, source.height - top));
  }
}

function within({ width, height }: Size, side: number): Size {
  const factor = Math.min(1, side / Math.max(width, height));
  return { width: Math.max(1, Math.round(width * factor)), height: Math.max(1, Math.round(height * factor)) };
}

const roles: Record<string, PictureRole> = { image: 'source', mask: 'mask', style_reference: 'style' };

function orderOf(options: EditParams, inputs: readonly { field: string }[]): ImageOrder {
  const { prompt, size, n, quality, background, output_format, seed } = options;
  const pictures = inputs.flatMap(({ field }, input): OrderedPicture[] => {
    const isFurther = field === 'image' && inputs.findIndex((each) => each.field === 'image') < input;
    const role = isFurther ? 'reference' : roles[field];
    return role ? [{ role, input }] : [];
  });
  return {
    kind: 'image',
    prompt,
    negativePrompt: null,
    size: readSize(size),
    count: n,
    quality: quality === 'hd' || quality === 'standard' ? quality : null,
    isTransparent: background === 'transparent',
    format: output_format === 'jpeg' ? 'jpg' : output_format,
    seed: seed ?? null,
    pictures,
  };
}
