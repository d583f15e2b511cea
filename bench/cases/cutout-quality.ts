import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import type { Size } from '#src/engine/media/media.js';
import { type Case, figureOf, type Measured, type Measurement } from '../bench.js';
import { composites, lemur, type Scene } from '../composites.js';
import { openDirect } from '../direct.js';
import { missing } from '../material.js';
import { mean } from '../statistics.js';

const count = 90;
const seed = 20_261_122;

/** Alpha 0..255 of a picture. */
type Cut = (scene: Scene) => Promise<Uint8Array>;

/** The whole operation: JPEG in, PNG with alpha out, refinement included. */
async function byOperation(): Promise<Measurement> {
  const folder = await mkdtemp(join(tmpdir(), 'darkroom-bench-'));
  const path = join(folder, 'picture.jpg');
  const direct = await openDirect('background-removal', {}, availableParallelism());
  const measured = await measure(async ({ picture: { data, width, height } }) => {
    await sharp(data, { raw: { width, height, channels: 3 } })
      .jpeg({ quality: 92 })
      .toFile(path);
    const made = await direct.perform(path);
    return sharp(made.path).extractChannel(3).toColourspace('b-w').raw().toBuffer();
  });
  await direct.close();
  await rm(folder, { recursive: true });
  return measured;
}

/** The answers that need no model. */
const trivial = {
  ellipse: async ({ picture }: Scene) => inEveryPixel(picture, (x, y) => (x * x + y * y < 0.49 ? 255 : 0)),
  everything: async ({ picture }: Scene) => inEveryPixel(picture, () => 255),
} satisfies Record<string, Cut>;

/** Coordinates are −1..1 from border to border. */
function inEveryPixel({ width, height }: Size, alpha: (x: number, y: number) => number): Uint8Array {
  return Uint8Array.from({ length: width * height }, (_, at) => {
    return alpha((2 * (at % width)) / (width - 1) - 1, (2 * Math.floor(at / width)) / (height - 1) - 1);
  });
}

async function measure(cut: Cut): Promise<Measurement> {
  const scores: Score[] = [];
  const digest = createHash('sha256');
  for await (const scene of composites(count, seed)) {
    digest.update(scene.picture.data);
    scores.push(score(await cut(scene), scene));
  }
  const photographed = await lemur();
  const real = score(await cut(photographed), photographed);
  const iou = mean(scores.map((each) => each.iou));
  return {
    value: iou,
    check: `${count} composites ${digest.digest('hex').slice(0, 16)}`,
    more: { iou, mae: mean(scores.map((each) => each.mae)), lemurIou: real.iou, lemurMae: real.mae },
  };
}

interface Score {
  /** Intersection over union of alpha > 0.5. */
  iou: number;
  /** Mean absolute error, 0..1. */
  mae: number;
}

function score(guess: Uint8Array, { alpha, picture: { width, height } }: Scene): Score {
  if (guess.length !== width * height) throw new Error(`Expected ${width} × ${height} pixels, got ${guess.length}`);
  let [both, either, error] = [0, 0, 0];
  for (let at = 0; at < alpha.length; at += 1) {
    const [one, other] = [guess[at] as number, alpha[at] as number];
    if (one > 127 && other > 127) both += 1;
    if (one > 127 || other > 127) either += 1;
    error += Math.abs(one - other) / 255;
  }
  return { iou: both / Math.max(1, either), mae: error / alpha.length };
}

function beatsTrivial(measured: Measured): boolean {
  const of = (variant: string, name: string) => figureOf(measured, variant, name);
  return Object.keys(trivial).every(
    (other) =>
      ['iou', 'lemurIou'].every((name) => of('cutout', name) > of(other, name)) &&
      ['mae', 'lemurMae'].every((name) => of('cutout', name) < of(other, name)),
  );
}

function phrase(measured: Measured): string {
  const of = (name: string) =>
    ['cutout', 'ellipse', 'everything'].map((variant) => figureOf(measured, variant, name).toFixed(2)) as [
      string,
      string,
      string,
    ];
  const [made, ellipse, everything] = of('iou');
  const [lemurMade, lemurEllipse, lemurEverything] = of('lemurIou');
  return `IoU ${made} on unseen composites (centre ellipse ${ellipse}, everything ${everything}), ${lemurMade} on a photographed lemur (${lemurEllipse}, ${lemurEverything})`;
}

export default {
  name: 'cutout-quality',
  question:
    'IoU (alpha > 0.5) of the whole operation on composites of material that no training saw, beside the answers that need no model',
  unit: 'IoU',
  variants: {
    cutout: byOperation,
    ellipse: () => measure(trivial.ellipse),
    everything: () => measure(trivial.everything),
  },
  comparison: 'difference',
  rounds: 1,
  mustAgree: true,
  obstacle: () => missing('training/objects', 'training/photos', 'images/kodak', 'images/gb82', 'images/matting'),
  quality: (measured) => ({ cutout: phrase(measured) }),
  target: {
    text: 'better than both in IoU and mean error, on composites and on a photograph',
    holds: (_, measured) => beatsTrivial(measured),
  },
} satisfies Case;
