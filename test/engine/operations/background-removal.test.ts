import { join } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { afterEach, describe, expect, test } from 'vitest';
import { EngineError } from '#src/engine/errors.js';
import type { Pixels, Size } from '#src/engine/media/media.js';
import { backgroundRemoval } from '#src/engine/operations/background-removal.js';
import { parseParams } from '#src/engine/operations/index.js';
import { paint } from '../../helpers/pictures.js';
import { type BenchOptions, openWorkbench, type TestBench } from '../../helpers/workbench.js';

let bench: TestBench | undefined;
afterEach(() => bench?.close());

/** Whether this place of a picture of size 1 × 1 belongs to the thing in it: a shirt, more or less. */
function isShirt(u: number, v: number): boolean {
  const isBody = Math.abs(u - 0.5) < 0.2 && v > 0.25 && v < 0.85;
  const isSleeve = Math.abs(u - 0.5) < 0.34 && v > 0.25 && v < 0.42 && Math.abs(u - 0.5) - 0.2 < 0.42 - v + 0.06;
  const isNeck = Math.hypot(u - 0.5, v - 0.25) < 0.07;
  return (isBody || isSleeve) && !isNeck;
}

/** A blue shirt with a weave on a pale floor. */
function photograph({ width, height }: Size): Pixels {
  return paint({ width, height }, 3, (x, y) => {
    const [u, v] = [(x + 0.5) / width, (y + 0.5) / height];
    const grain = 5 * Math.sin(x * 1.3) * Math.sin(y * 1.7);
    return isShirt(u, v)
      ? [35 + grain, 60 + grain, 130 + grain]
      : [225 - 20 * v + grain, 215 - 20 * v + grain, 200 + grain];
  });
}

async function perform(
  write: (path: string) => Promise<unknown>,
  params: object = {},
  options: Partial<BenchOptions> = {},
) {
  const opened = await openWorkbench({
    model: 'cutout',
    input: async (folder) => {
      await write(join(folder, 'input'));
      return join(folder, 'input');
    },
    ...options,
  });
  bench = opened;
  const outcome = await backgroundRemoval.perform(opened, parseParams(backgroundRemoval, { ...params }).params);
  const { data, info } = await sharp(outcome.outputs[0]?.path).raw().toBuffer({ resolveWithObject: true });
  return { outcome, result: { data: new Uint8Array(data), ...info } };
}

function image({ data, width, height, channels }: Pixels): Sharp {
  return sharp(data, { raw: { width, height, channels } });
}

/** Intersection over union of alpha and the true shirt. */
function overlapWithShirt(alpha: (at: number) => number, { width, height }: Size): number {
  let [both, either] = [0, 0];
  for (let at = 0; at < width * height; at++) {
    const isIn = isShirt(((at % width) + 0.5) / width, (Math.floor(at / width) + 0.5) / height);
    const isKept = alpha(at) > 127;
    if (isIn && isKept) both++;
    if (isIn || isKept) either++;
  }
  return both / either;
}

describe('background-removal', () => {
  const size = { width: 700, height: 900 };

  test('gives the picture at its own size with the background transparent', async () => {
    const picture = photograph(size);
    const { outcome, result } = await perform((path) => image(picture).png().toFile(path));
    expect(outcome.outputs).toEqual([{ path: expect.any(String), format: 'png', contentType: 'image/png', ...size }]);
    expect(result).toMatchObject({ ...size, channels: 4 });
    expect(overlapWithShirt((at) => result.data[4 * at + 3] as number, size)).toBeGreaterThan(0.95);
    const corner = result.data[3];
    const middle = 4 * (500 * size.width + 350);
    expect([corner, result.data[middle + 3]]).toEqual([0, 255]);
    expect([...result.data.subarray(middle, middle + 3)]).toEqual([
      ...picture.data.subarray((middle / 4) * 3, (middle / 4) * 3 + 3),
    ]);
  });

  test('gives the mask alone when asked for it: the alpha of the cut-out', async () => {
    const write = (path: string) => image(photograph(size)).png().toFile(path);
    const cutout = await perform(write);
    await bench?.close();
    const mask = await perform(write, { only_mask: 'true' });
    const { data, channels } = mask.result;
    for (let at = 0; at < size.width * size.height; at += 97) {
      expect(data[at * channels]).toBe(cutout.result.data[4 * at + 3]);
    }
    expect((await sharp(mask.outcome.outputs[0]?.path).metadata()).hasAlpha).toBe(false);
  });

  test('keeps what was transparent before', async () => {
    const picture = photograph(size);
    const half = paint(size, 4, (x, y) => [
      ...picture.data.subarray(3 * (y * 700 + x), 3 * (y * 700 + x) + 3),
      x < 350 ? 128 : 255,
    ]);
    const { result } = await perform((path) => image(half).png().toFile(path));
    const alphaAt = (x: number, y: number) => result.data[4 * (y * 700 + x) + 3];
    expect([alphaAt(300, 500), alphaAt(400, 500), alphaAt(5, 5)]).toEqual([128, 255, 0]);
  });

  test('turns a photograph upright as its camera says', async () => {
    const lying = image(photograph(size)).rotate(-90).withMetadata({ orientation: 6 });
    const { result } = await perform((path) => lying.jpeg({ quality: 95 }).toFile(path));
    expect(result).toMatchObject(size);
    expect(overlapWithShirt((at) => result.data[4 * at + 3] as number, size)).toBeGreaterThan(0.95);
  });

  test.each([
    [1, 1],
    [1, 300],
    [3000, 2],
    [37, 41],
  ])('takes a picture of %d × %d', async (width, height) => {
    const { result } = await perform((path) => image(photograph({ width, height })).png().toFile(path));
    expect(result).toMatchObject({ width, height, channels: 4 });
  });

  test('writes WebP when asked for it', async () => {
    const { outcome, result } = await perform((path) => image(photograph(size)).png().toFile(path), { format: 'webp' });
    expect(outcome.outputs[0]).toMatchObject({ format: 'webp', contentType: 'image/webp' });
    expect(result.channels).toBe(4);
  });

  test('tells its stages in order, and stops where it is told to', async () => {
    const write = (path: string) => image(photograph(size)).png().toFile(path);
    await perform(write);
    expect(bench?.stages).toEqual(['decode', 'infer', 'compose', 'encode']);
    await bench?.close();
    for (const last of ['decode', 'infer', 'compose', 'encode']) {
      const stop = new EngineError('cancelled', 'Cancelled');
      const onCheckpoint = (stage: string) => {
        if (stage === last) throw stop;
      };
      await expect(perform(write, {}, { onCheckpoint })).rejects.toBe(stop);
      expect(bench?.stages.at(-1)).toBe(last);
      await bench?.close();
    }
    bench = undefined;
  });
});
