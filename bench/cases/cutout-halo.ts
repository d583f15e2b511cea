import { createHash } from 'node:crypto';
import sharp from 'sharp';
import type { Pixels } from '#src/engine/media/media.js';
import { separateLayers } from '#src/models/matting/colour-layers.js';
import { foregroundOfRows } from '#src/models/matting/foreground.js';
import { guideSize } from '#src/models/matting/guided-filter.js';
import { type Case, figureOf, type Measurement } from '../bench.js';
import { isHeldOut, missing, sharedFiles } from '../material.js';
import { mean } from '../statistics.js';

const side = 900;
const objects = 20;

/** A cut-out whose colours and alpha are known: 4 channels. */
type Known = Pixels;

/** Each contrasts with most of what is put before it. */
const backgrounds = [
  [20, 200, 40],
  [240, 240, 240],
  [10, 10, 12],
  [200, 30, 30],
] as const;

async function measure(clean: (photograph: Pixels, known: Known) => Promise<Pixels>): Promise<Measurement> {
  const errors: number[] = [];
  const digest = createHash('sha256');
  const fur = await lemur();
  const furErrors: number[] = [];
  for (const known of [...(await rendered()), fur]) {
    for (const background of backgrounds) {
      const photograph = before(known, background);
      digest.update(photograph.data);
      const error = colourError(await clean(photograph, known), known);
      (known === fur ? furErrors : errors).push(error);
    }
  }
  return {
    value: mean(errors),
    check: `${errors.length} composites ${digest.digest('hex').slice(0, 16)}`,
    more: { fur: mean(furErrors) },
  };
}

/** The second half of a cut-out, with the true alpha, so that nothing but the colours is measured. */
async function byLayers(photograph: Pixels, known: Known): Promise<Pixels> {
  const size = guideSize(known);
  const guide = await shrunk(photograph, size);
  const alpha = await shrunk(alphaOf(known), size);
  const result = withAlpha(photograph, known);
  foregroundOfRows(separateLayers(guide, alpha.data), known)(result, 0);
  return result;
}

async function rendered(): Promise<Known[]> {
  const files = sharedFiles('training/objects', '.webp').filter((path) => isHeldOut(path, 0.1));
  const known = files.slice(0, objects).map(async (path): Promise<Known> => {
    const image = sharp(path).ensureAlpha().resize(side, side, { fit: 'inside', kernel: 'cubic' });
    const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
    return { data, width: info.width, height: info.height, channels: 4 };
  });
  return Promise.all(known);
}

async function lemur(): Promise<Known> {
  const file = (name: string) => sharedFiles('images/matting', name)[0];
  const image = sharp(file('lemur_foreground.png')).removeAlpha();
  const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
  const alpha = await sharp(file('lemur_alpha.png')).toColourspace('b-w').raw().toBuffer();
  const size = { width: info.width, height: info.height };
  return withAlpha({ data, ...size, channels: 3 }, { data: alpha, ...size, channels: 1 });
}

/** The cut-out before a background with a weave. */
function before({ data, width, height }: Known, background: readonly number[]): Pixels {
  const result = new Uint8ClampedArray(width * height * 3);
  for (let at = 0; at < width * height; at += 1) {
    const weave = 12 * Math.sin((at % width) / 9) * Math.cos(Math.floor(at / width) / 7);
    const alpha = (data[4 * at + 3] as number) / 255;
    for (let channel = 0; channel < 3; channel += 1) {
      const below = (background[channel] as number) + weave;
      result[3 * at + channel] = (data[4 * at + channel] as number) * alpha + below * (1 - alpha);
    }
  }
  return { data: new Uint8Array(result.buffer), width, height, channels: 3 };
}

function alphaOf({ data, width, height, channels }: Pixels): Pixels {
  return { data: data.filter((_, at) => at % channels === channels - 1), width, height, channels: 1 };
}

function withAlpha({ data, width, height }: Pixels, other: Pixels): Pixels {
  const alpha = alphaOf(other).data;
  const result = new Uint8Array(width * height * 4);
  for (let at = 0; at < alpha.length; at += 1) {
    result.set(data.subarray(3 * at, 3 * at + 3), 4 * at);
    result[4 * at + 3] = alpha[at] as number;
  }
  return { data: result, width, height, channels: 4 };
}

async function shrunk(
  { data, width, height, channels }: Pixels,
  size: { width: number; height: number },
): Promise<Pixels> {
  const image = sharp(data, { raw: { width, height, channels } }).resize(size.width, size.height, { fit: 'fill' });
  const small = await image
    .toColourspace(channels === 1 ? 'b-w' : 'srgb')
    .raw()
    .toBuffer();
  return { data: small, ...size, channels };
}

/** Mean error of the colours (0..255) at soft edges, weighted with the alpha under which they show. */
function colourError(result: Pixels, truth: Known): number {
  let [sum, weight] = [0, 0];
  for (let at = 0; at < truth.data.length; at += 4) {
    const alpha = truth.data[at + 3] as number;
    if (alpha < 13 || alpha > 242) continue;
    for (let channel = 0; channel < 3; channel += 1) {
      sum += (Math.abs((result.data[at + channel] as number) - (truth.data[at + channel] as number)) * alpha) / 3;
    }
    weight += alpha;
  }
  return sum / Math.max(1, weight);
}

export default {
  name: 'cutout-halo',
  question:
    'Error of the colours (0 to 255) at soft edges of cut-outs with known colours and alpha, taken from four contrasting backgrounds: with decontamination and without',
  unit: 'levels',
  variants: {
    clean: () => measure(byLayers),
    plain: () => measure(async (photograph, known) => withAlpha(photograph, known)),
  },
  rounds: 1,
  mustAgree: true,
  obstacle: () => missing('training/objects', 'images/matting'),
  target: {
    text: 'a fifth and less of what is left without, in fur too',
    holds: (ratio, measured) =>
      ratio <= 0.2 && figureOf(measured, 'clean', 'fur') <= 0.2 * figureOf(measured, 'plain', 'fur'),
  },
} satisfies Case;
