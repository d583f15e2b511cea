import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import type { Case, Measurement } from '../bench.js';
import { openDirect } from '../direct.js';
import { photo } from '../material.js';

/** As the sellers’ photographs are. */
const small = { width: 400, height: 534 };

/** A megapixel: refinement and encoding grow with the picture, the network does not. */
const large = { width: 870, height: 1161 };

/** From JPEG to PNG; the fastest of five after one that warms up. */
async function cut({ width, height }: typeof small): Promise<Measurement> {
  const folder = await mkdtemp(join(tmpdir(), 'darkroom-bench-'));
  const path = join(folder, 'picture.jpg');
  await sharp(photo).resize(width, height, { fit: 'cover' }).jpeg({ quality: 92 }).toFile(path);
  const direct = await openDirect('background-removal', {}, availableParallelism());
  const times: number[] = [];
  for (let round = 0; round < 6; round += 1) {
    const begun = performance.now();
    const made = await direct.perform(path);
    if (round > 0) times.push(performance.now() - begun);
    const { data, info } = await sharp(made.path).extractChannel(3).raw().toBuffer({ resolveWithObject: true });
    if (info.width !== width || info.height !== height) throw new Error(`Got ${info.width} × ${info.height}`);
    const kept = data.reduce((sum, alpha) => sum + alpha, 0) / (255 * data.length);
    if (kept < 0.1 || kept > 0.6)
      throw new Error(`Expected the dress alone, ${kept.toFixed(2)} of the picture was kept`);
  }
  await direct.close();
  await rm(folder, { recursive: true });
  return { value: Math.min(...times), check: 'cut out', more: { megapixels: (width * height) / 1e6 } };
}

export default {
  name: 'cutout-time',
  question:
    'Milliseconds from a JPEG to a PNG with the subject alone, both looks of the network and the refinement to the full size included: of a seller’s photograph, and of one of a megapixel',
  unit: 'ms',
  variants: { 'seller’s': () => cut(small), '1 MP': () => cut(large) },
  rounds: 3,
  mustAgree: true,
  target: {
    text: '≤ 200 ms for the seller’s on 4 cores',
    holds: (_, measured) => Math.min(...(measured.get('seller’s') ?? []).map(({ value }) => value)) <= 200,
  },
} satisfies Case;
