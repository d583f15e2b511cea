import sharp from 'sharp';
import type { Pixels } from '#src/engine/media/media.js';
import type { UpscaleModel } from '#src/models/model.js';
import { type Case, figureOf, type Measured, type Measurement } from '../bench.js';
import { missing, sharedFiles } from '../material.js';
import { crop, lumaPsnr, readRgb, withNoise } from '../pictures.js';
import { bicubic, resample } from '../resample.js';
import { mean, median } from '../statistics.js';
import { openUpscaler, sharedWeights } from '../upscalers.js';

const scale = 4;

/** What happens to a picture before it comes to us, at a quarter of its size. */
type Journey = (truth: Pixels) => Promise<Pixels>;

const journeys: Record<string, Journey> = {
  'jpeg-40': async (truth) => coded(reduced(truth), 40),
  'jpeg-70': async (truth) => coded(reduced(truth), 70),
  'noise-10': async (truth) => withNoise(reduced(truth), 10),
  // A soft telephone picture that was sent on by a messenger.
  'soft-noisy-jpeg': async (truth) => coded(withNoise(reduced(await blurred(truth, 2)), 5), 60),
};

function reduced(picture: Pixels): Pixels {
  return resample(picture, { width: picture.width / scale, height: picture.height / scale }, bicubic);
}

async function blurred({ data, width, height }: Pixels, sigma: number): Promise<Pixels> {
  return readRgb(
    await sharp(data, { raw: { width, height, channels: 3 } })
      .blur(sigma)
      .png()
      .toBuffer(),
  );
}

async function coded({ data, width, height }: Pixels, quality: number): Promise<Pixels> {
  return readRgb(
    await sharp(data, { raw: { width, height, channels: 3 } })
      .jpeg({ quality })
      .toBuffer(),
  );
}

function byModel(id: string): () => Promise<Measurement> {
  return async () => {
    const model = await openUpscaler(id);
    if (!model) throw new Error(`The weights of ${id} are not here`);
    return measure(model);
  };
}

function byBicubic(): Promise<Measurement> {
  const upscale: UpscaleModel['upscale'] = async (small) =>
    resample(small, { width: small.width * scale, height: small.height * scale }, bicubic);
  return measure({ id: 'bicubic', scale, overlap: 2, upscale });
}

async function measure({ upscale }: UpscaleModel): Promise<Measurement> {
  const files = sharedFiles('images/kodak', '.png');
  const found = new Map<string, number[]>(Object.keys(journeys).map((name) => [name, []]));
  const times: number[] = [];
  for (const file of files) {
    const picture = await readRgb(file);
    const [width, height] = [picture.width, picture.height].map((side) => side - (side % scale)) as [number, number];
    const truth = crop(picture, { width, height });
    for (const [name, travel] of Object.entries(journeys)) {
      const small = await travel(truth);
      const began = performance.now();
      const large = await upscale(small);
      times.push(performance.now() - began);
      found.get(name)?.push(lumaPsnr(large, truth, scale));
    }
  }
  const figures = Object.fromEntries([...found].map(([name, each]) => [name, mean(each)]));
  const value = mean(Object.values(figures));
  return { value, check: `${files.length} pictures`, more: { ...figures, milliseconds: median(times) } };
}

const twins = ['realesr-general-x4v3', 'realesr-general-wdn-x4v3'];
const variants: Case['variants'] = {
  'upscale-x4-real': byModel('upscale-x4-real'),
  'upscale-x4': byModel('upscale-x4'),
  bicubic: byBicubic,
  ...Object.fromEntries(twins.filter((id) => sharedWeights(id) !== null).map((id) => [id, byModel(id)])),
};

/** On every kind of damage above every other variant. */
function isAhead(measured: Measured): boolean {
  const others = Object.keys(variants).slice(1);
  return Object.keys(journeys).every((name) => {
    const ours = figureOf(measured, 'upscale-x4-real', name);
    return others.every((other) => ours > figureOf(measured, other, name));
  });
}

function phrase(measured: Measured): string {
  const of = (variant: string) => (measured.get(variant)?.[0]?.value ?? 0).toFixed(2);
  const known = twins.filter((id) => measured.has(id)).map((id) => `${id} ${of(id)}`);
  const others = [`bicubic ${of('bicubic')}`, `upscale-x4 ${of('upscale-x4')}`, ...known].join(', ');
  return `PSNR-Y on Kodak after JPEG, noise and blur ${of('upscale-x4-real')} dB (${others})`;
}

export default {
  name: 'upscale-real-quality',
  question:
    'PSNR of luma of Kodak’s pictures, reduced to a quarter and then compressed (40, 70), noisy (10) or blurred, noisy and compressed: mean, enlarged again',
  unit: 'dB',
  variants,
  comparison: 'difference',
  rounds: 1,
  mustAgree: true,
  obstacle: () => missing('images/kodak'),
  quality: (measured) => ({ 'upscale-x4-real': phrase(measured) }),
  target: {
    text: 'above bicubic, the clean model and (where they lie here) both Real-ESRGAN general nets on every kind of damage',
    holds: (_, measured) => isAhead(measured),
  },
} satisfies Case;
