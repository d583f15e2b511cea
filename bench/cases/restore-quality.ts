import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import type { Pixels } from '#src/engine/media/media.js';
import { type Case, figureOf, type Measured, type Measurement } from '../bench.js';
import { openDirect } from '../direct.js';
import { missing, sharedFiles } from '../material.js';
import { lumaPsnr, psnr, readRgb, withNoise, writePng } from '../pictures.js';
import { mean } from '../statistics.js';

/** What is done to a picture, written as a file, and how the repair is judged. */
interface Damage {
  write(clean: Pixels, path: string): Promise<void>;
  extension: string;
  judge(found: Pixels, clean: Pixels): number;
}

const damages: Record<string, Damage> = {
  'noise-15': noise(15),
  'noise-25': noise(25),
  'noise-50': noise(50),
  'jpeg-10': jpeg(10),
  'jpeg-20': jpeg(20),
  'jpeg-40': jpeg(40),
  clean: { write: writePng, extension: 'png', judge: (found, clean) => Math.min(99, psnr(found, clean)) },
};

function noise(sigma: number): Damage {
  return {
    write: (clean, path) => writePng(withNoise(clean, sigma), path),
    extension: 'png',
    judge: psnr,
  };
}

function jpeg(quality: number): Damage {
  return {
    write: async ({ data, width, height }, path) => {
      await sharp(data, { raw: { width, height, channels: 3 } })
        .jpeg({ quality })
        .toFile(path);
    },
    extension: 'jpg',
    judge: (found, clean) => lumaPsnr(found, clean, 0),
  };
}

/** The bundled model through the whole operation, which measures the damage by itself. */
async function restored(): Promise<Measurement> {
  const direct = await openDirect('image-restoration', {}, availableParallelism());
  const measured = await measure(async (path) => readRgb((await direct.perform(path)).path));
  await direct.close();
  return measured;
}

const repairs = {
  restored,
  median: () => measure(async (path) => readRgb(await sharp(path).median(3).png().toBuffer())),
  damaged: () => measure(readRgb),
} satisfies Record<string, () => Promise<Measurement>>;

async function measure(repair: (path: string) => ReturnType<typeof readRgb>): Promise<Measurement> {
  const folder = await mkdtemp(join(tmpdir(), 'darkroom-bench-'));
  const files = sharedFiles('images/kodak', '.png');
  const figures: Record<string, number> = {};
  for (const [name, { write, extension, judge }] of Object.entries(damages)) {
    const each: number[] = [];
    for (const file of files) {
      const clean = await readRgb(file);
      const path = join(folder, `damaged.${extension}`);
      await write(clean, path);
      each.push(judge(await repair(path), clean));
    }
    figures[name] = mean(each);
  }
  await rm(folder, { recursive: true });
  const { clean: _, ...repaired } = figures;
  return { value: mean(Object.values(repaired)), check: `${files.length} pictures`, more: figures };
}

function phrase(measured: Measured): string {
  const of = (variant: string, name: string) => figureOf(measured, variant, name).toFixed(1);
  const one = (name: string) => `${name.replace('-', ' ')} ${of('restored', name)} dB (damaged ${of('damaged', name)})`;
  return `PSNR on Kodak: ${one('noise-25')}; luma, ${one('jpeg-20')}; a clean picture ${of('restored', 'clean')} dB`;
}

function holds(measured: Measured): boolean {
  const gain = (name: string) => figureOf(measured, 'restored', name) - figureOf(measured, 'damaged', name);
  const noiseIsOut = figureOf(measured, 'restored', 'noise-25') >= 31;
  return noiseIsOut && gain('jpeg-20') >= 1 && figureOf(measured, 'restored', 'clean') >= 45;
}

export default {
  name: 'restore-quality',
  question:
    'PSNR of Kodak’s pictures with colour noise (15, 25, 50) and as JPEG (quality 10, 20, 40; luma): restored with nothing told, by a median of 3 × 3, and as they came',
  unit: 'dB',
  variants: repairs,
  comparison: 'difference',
  rounds: 1,
  mustAgree: true,
  obstacle: () => missing('images/kodak'),
  quality: (measured) => ({ restore: phrase(measured) }),
  target: {
    text: 'noise of 25: ≥ 31.0 dB; JPEG of quality 20: ≥ 1.0 dB better; a clean picture ≥ 45 dB',
    holds: (_, measured) => holds(measured),
  },
} satisfies Case;
