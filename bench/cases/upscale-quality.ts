import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Pixels } from '#src/engine/media/media.js';
import { type Case, figureOf, type Measured, type Measurement } from '../bench.js';
import { openDirect } from '../direct.js';
import { missing, sharedFiles } from '../material.js';
import { crop, lumaPsnr, readRgb, writePng } from '../pictures.js';
import { bicubic, lanczos, resample } from '../resample.js';
import { mean } from '../statistics.js';

const sets = ['kodak', 'gb82'];
const scales = [2, 4];

/** Enlarges by this factor what was made small by it. */
type Enlarge = (small: Pixels, scale: number) => Promise<Pixels>;

/** The bundled models, through the whole operation: PNG in, PNG out. */
async function byModels(): Promise<Measurement> {
  const folder = await mkdtemp(join(tmpdir(), 'darkroom-bench-'));
  const path = join(folder, 'small.png');
  const open = (scale: number) => openDirect('super-resolution', { scale }, availableParallelism());
  const models = new Map(await Promise.all(scales.map(async (scale) => [scale, await open(scale)] as const)));
  const measured = await measure(async (small, scale) => {
    await writePng(small, path);
    const made = await models.get(scale)?.perform(path);
    return readRgb(made?.path ?? '');
  });
  for (const model of models.values()) await model.close();
  await rm(folder, { recursive: true });
  return measured;
}

/** By interpolation. */
function by(kernel: typeof bicubic): () => Promise<Measurement> {
  const enlarge: Enlarge = async (small, scale) => {
    return resample(small, { width: small.width * scale, height: small.height * scale }, kernel);
  };
  return () => measure(enlarge);
}

/** Mean of every set at every scale; the value is the mean of those, so that no set counts for its number of pictures. */
async function measure(enlarge: Enlarge): Promise<Measurement> {
  const figures: Record<string, number> = {};
  let pictures = 0;
  for (const scale of scales) {
    for (const set of sets) {
      const files = sharedFiles(`images/${set}`, '.png');
      const each: number[] = [];
      for (const file of files) each.push(await qualityOf(file, scale, enlarge));
      figures[figureName(set, scale)] = mean(each);
      pictures += files.length;
    }
  }
  return { value: mean(Object.values(figures)), check: `${pictures} pictures`, more: figures };
}

async function qualityOf(file: string, scale: number, enlarge: Enlarge): Promise<number> {
  const picture = await readRgb(file);
  const size = { width: Math.floor(picture.width / scale), height: Math.floor(picture.height / scale) };
  const truth = crop(picture, { width: size.width * scale, height: size.height * scale });
  const guess = await enlarge(resample(truth, size, bicubic), scale);
  const isSame = guess.width === truth.width && guess.height === truth.height;
  if (!isSame)
    throw new Error(
      `${basename(file)}: expected ${truth.width} × ${truth.height}, got ${guess.width} × ${guess.height}`,
    );
  return lumaPsnr(guess, truth, scale);
}

function figureName(set: string, scale: number): string {
  return `${set}-x${scale}`;
}

/** Better than Lanczos on every set at every scale, not just on the whole. */
function beatsLanczos(measured: Measured): boolean {
  const names = scales.flatMap((scale) => sets.map((set) => figureName(set, scale)));
  return names.every((name) => figureOf(measured, 'models', name) > figureOf(measured, 'lanczos', name));
}

function phrase(measured: Measured, scale: number): string {
  const of = (variant: string) =>
    sets.map((set) => figureOf(measured, variant, figureName(set, scale)).toFixed(2)).join(' / ');
  return `PSNR-Y on Kodak / gb82 ${of('models')} dB (Lanczos ${of('lanczos')}, bicubic ${of('bicubic')})`;
}

export default {
  name: 'upscale-quality',
  question:
    'PSNR of luma after a bicubic reduction, by the bundled upscalers and by interpolation: mean of Kodak and gb82, two-fold and four-fold',
  unit: 'dB',
  variants: { models: byModels, lanczos: by(lanczos), bicubic: by(bicubic) },
  comparison: 'difference',
  rounds: 1,
  mustAgree: true,
  obstacle: () => missing(...sets.map((set) => `images/${set}`)),
  quality: (measured) => Object.fromEntries(scales.map((scale) => [`upscale-x${scale}`, phrase(measured, scale)])),
  target: { text: 'above Lanczos on both sets at both scales', holds: (_, measured) => beatsLanczos(measured) },
} satisfies Case;
