import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import type { Case, Measurement } from '../bench.js';
import { openDirect } from '../direct.js';
import { photo } from '../material.js';

/** Side of what is erased, in pixels: the same in both pictures. */
const hole = 120;

/** Erases the same small thing from a picture of this size; the fastest of three tries after one that warms up. */
async function eraseFrom(width: number, height: number): Promise<Measurement> {
  const folder = await mkdtemp(join(tmpdir(), 'darkroom-bench-'));
  const [picture, mask] = [join(folder, 'picture.jpg'), join(folder, 'mask.png')];
  await sharp(photo).resize(width, height, { fit: 'cover' }).jpeg({ quality: 90 }).toFile(picture);
  const white = { create: { width: hole, height: hole, channels: 3 as const, background: 'white' } };
  const spot = await sharp(white).png().toBuffer();
  await sharp({ create: { width, height, channels: 3, background: 'black' } })
    .composite([{ input: spot, left: Math.floor(width / 2), top: Math.floor(height / 2) }])
    .png()
    .toFile(mask);
  const direct = await openDirect('image-edit', { prompt: 'remove it', output_format: 'jpeg' }, availableParallelism());
  const times: number[] = [];
  for (let round = 0; round < 4; round += 1) {
    const begun = performance.now();
    const made = await direct.perform(picture, { mask });
    if (made.width !== width || made.height !== height)
      throw new Error(`Expected ${width} × ${height}, got ${made.width}`);
    if (round > 0) times.push(performance.now() - begun);
  }
  await direct.close();
  await rm(folder, { recursive: true });
  return { value: Math.min(...times) / 1000, check: 'erased', more: { megapixels: (width * height) / 1e6 } };
}

export default {
  name: 'erase-of-size',
  question:
    'Seconds to erase a thing of 120 × 120 pixels from a photograph, JPEG in and out: of 24 megapixels and of one',
  unit: 's',
  variants: { '24 MP': () => eraseFrom(6000, 4000), '1 MP': () => eraseFrom(1224, 816) },
  rounds: 3,
  mustAgree: true,
  target: { text: 'at most twice as long', holds: (ratio) => ratio <= 2 },
} satisfies Case;
