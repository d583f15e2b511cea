import { colourStatistics, transferColours } from '../../models/colour/colour-transfer.js';
import { createResampler } from '../../models/pixels/resample.js';
import { sharpening } from '../../models/pixels/sharpen.js';
import { enlarge } from '../../models/tiling/tiling.js';
import { EngineError } from '../errors.js';
import type { OutputFormat, Pixels, Size } from '../media/media.js';
import type { ImageOrder, OrderedPicture, PictureRole } from '../routing/order.js';
import { type EditWishes, readEditPrompt } from '../studio/edit-wording.js';
import { erase, outpaint, type Target } from './edit/erase.js';
import { lightCurve, relight } from './edit/light.js';
import { canvasFor, type EditParams, params, readSize } from './edit/params.js';
import type { Operation, OutputFile, Step } from './operation.js';
import { bands, within } from './picture-rows.js';
import type { PixelReader, PixelWriter, Workbench } from './workbench.js';

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
  pictures: [
    { field: 'image', required: true, max: 16 },
    { field: 'mask', isOverlay: true },
    { field: 'style_reference' },
  ],
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
    bench.checkpoint('decode');
    let path = bench.input('image');
    const works = worksFor(bench, { wishes, options, size: await bench.images.facts(path, 'image') });
    const between: Target = { kit: bench.images.between(), format: 'png' };
    const isFinal = isFinishedBy(works, wishes, options);
    let made: OutputFile | null = null;
    for (const [index, { work }] of works.entries()) {
      const isLast = index === works.length - 1;
      made = await work(path, isLast && isFinal ? finalTarget(bench, options, wishes) : between);
      path = made.path;
    }
    const output = made && isFinal ? made : await finish(bench, { path, wishes, options });
    const done = [...works.map(({ name }) => name), ...(lightCurve(wishes.light) ? ['light'] : [])];
    return {
      outputs: [output],
      warnings: warningsOf(bench, { wishes, options, done }),
      facts: { done, understood: understood(wishes), output: { width: output.width, height: output.height } },
      modelActual: localModel,
    };
  },
};

/** One thing to do to a picture. */
interface Work {
  name: string;
  work(path: string, target: Target): Promise<OutputFile>;
}

interface Request {
  wishes: EditWishes;
  options: EditParams;
  /** Of the picture. */
  size: Size;
}

function worksFor(bench: Workbench, { wishes, options, size }: Request): Work[] {
  const isReplaced = backgroundSteps(options).length > 0;
  const canvas = isReplaced ? null : canvasFor(size, options);
  const works: (Work | false | null)[] = [
    bench.inputs('mask').length > 0 && {
      name: 'erase',
      work: (path, target) => erase(bench, path, { target, options }),
    },
    bench.inputs('style_reference').length > 0 && {
      name: 'style',
      work: (path, target) => takeStyle(bench, path, { target, options }),
    },
    isReplaced && { name: 'background', work: (path) => replaceBackground(bench, path) },
    canvas && {
      name: 'outpaint',
      work: (path, target) => reading(bench, path, (source) => outpaint(bench, source, { target, canvas })),
    },
    wishes.sharpen && { name: 'sharpen', work: (path, target) => sharpen(bench, path, target) },
  ];
  return works.filter((work): work is Work => work !== null && work !== false);
}

/** Whether the last work can write the result itself, which spares a large picture a pass over all of it. */
function isFinishedBy(works: Work[], { light }: EditWishes, { size }: EditParams): boolean {
  const last = works.at(-1);
  return last !== undefined && last.name !== 'background' && lightCurve(light) === null && readSize(size) === null;
}

function finalTarget(bench: Workbench, options: EditParams, wishes: EditWishes): Target {
  const { output_compression: quality } = options;
  const encoding = quality === undefined ? {} : { quality: Math.max(1, quality) };
  return { kit: bench.images, format: formatOf(options, wishes), options: encoding };
}

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

async function replaceBackground(bench: Workbench, picture: string): Promise<OutputFile> {
  const [made] = (await bench.step(0, { picture, isLast: false })).outputs;
  if (!made) throw new EngineError('internal', 'The cut-out made nothing');
  return made;
}

/** Longest side of the copies from which statistics are taken. */
const lookedAt = 512;

/** Gives a picture the colours and tones of another: their mean and spread, not its content. */
async function takeStyle(bench: Workbench, path: string, { target, options }: { target: Target; options: EditParams }) {
  const { style_strength: strength } = options;
  const statistics = async (each: string, param: string) => {
    const size = within(await bench.images.facts(each, param), lookedAt);
    return colourStatistics(await bench.images.decode(each, { size }));
  };
  const to = await statistics(bench.input('style_reference'), 'style_reference');
  const from = await statistics(path, 'image');
  return reading(bench, path, async (source) => {
    const writer = await openTarget(source, target);
    for await (const { rows } of bands(bench, source)) {
      transferColours(rows, { from, to, strength });
      await writer.write(rows);
    }
    return writer.encode(target.format, target.options);
  });
}

async function sharpen(bench: Workbench, path: string, target: Target): Promise<OutputFile> {
  return reading(bench, path, async (source) => {
    const writer = await openTarget(source, target);
    await enlarge(source, sharpening(0.8), {
      write: (rows) => writer.write(rows),
      checkpoint: (fraction) => bench.checkpoint('compose', fraction),
    });
    return writer.encode(target.format, target.options);
  });
}

function openTarget({ width, height, channels }: PixelReader, { kit, format }: Target): Promise<PixelWriter> {
  return kit.create({ width, height, channels, format });
}

interface Finishing {
  path: string;
  wishes: EditWishes;
  options: EditParams;
}

/** Light, size and format in one pass. */
async function finish(bench: Workbench, { path, wishes, options }: Finishing): Promise<OutputFile> {
  return reading(bench, path, async (source) => {
    const target = finalTarget(bench, options, wishes);
    const size = sizeOf(source, options);
    const curve = lightCurve(wishes.light);
    const writer = await target.kit.create({ ...size, channels: source.channels, format: target.format });
    const isSame = size.width === source.width && size.height === source.height;
    const write = isSame
      ? (rows: Pixels) => writer.write(rows)
      : createResampler({ from: source, to: size, write: (rows) => writer.write(rows) }).push;
    for await (const { rows } of bands(bench, source)) {
      if (curve) relight(rows, curve);
      await write(rows);
    }
    bench.checkpoint('encode');
    return writer.encode(target.format, target.options);
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

function warningsOf(
  bench: Workbench,
  { wishes, options, done }: Omit<Finishing, 'path'> & { done: string[] },
): string[] {
  const warnings: string[] = [];
  const hasMask = bench.inputs('mask').length > 0;
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
