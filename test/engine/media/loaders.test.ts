import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { inspect } from '#src/engine/media/image.js';
import { bytesOf, flat, limits, saved, scene, temporaryFolder } from './pictures.js';

describe('the loaders of libvips', () => {
  it('refuse formats that are not ours, whatever asks for them', async () => {
    const files = {
      svg: '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>',
      csv: '1,2,3\n4,5,6\n',
      mat: '2 1\n3 4\n',
    };
    const raster = join(temporaryFolder(), 'picture.v');
    await sharp(await bytesOf(flat(9, 9, [1, 2, 3]))).toFile(raster);
    await expect(sharp(raster).metadata()).rejects.toThrow();
    for (const [extension, bytes] of Object.entries(files)) {
      await expect(sharp(saved(Buffer.from(bytes), `picture.${extension}`)).metadata(), extension).rejects.toThrow();
    }
  });

  it('stay in reach of a thread that decodes while others start', async () => {
    const picture = saved(await bytesOf(scene(64, 64, 3), (image) => image.jpeg()));
    const threads = Array.from({ length: 8 }, () => startThread());
    let isStarting = true;
    const started = Promise.all(threads).finally(() => {
      isStarting = false;
    });
    const decode = async () => {
      while (isStarting) await inspect(picture, 'image', limits);
    };
    await Promise.all([started, decode(), decode(), decode()]);
  });
});

/** Loads the module in a thread of its own, as a worker does. */
async function startThread(): Promise<void> {
  const thread = new Worker(new URL(import.meta.resolve('#src/engine/media/image.js')));
  await new Promise((resolve, reject) => thread.once('exit', resolve).once('error', reject));
}
