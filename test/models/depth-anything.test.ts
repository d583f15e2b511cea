import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, test } from 'vitest';
import { loadModel } from '#src/models/load.js';
import type { ModelEntry } from '#src/models/lockfile.js';
import type { DepthModel } from '#src/models/model.js';
import { noise } from '../helpers/pictures.js';
import { sharedFiles } from '../helpers/shared.js';
import { tempFolderOfFile } from '../helpers/temp-folder.js';
import { install, tinyDepth } from '../helpers/tiny-models.js';

let folder: string;
beforeAll(async () => {
  folder = await tempFolderOfFile();
  await install(tinyDepth(), folder);
});

async function using(entry: ModelEntry, home: string, check: (model: DepthModel) => Promise<void>): Promise<void> {
  const loaded = await loadModel(entry, { folder: home, device: 'cpu', threads: 1 });
  try {
    if (loaded.task !== 'depth-estimation') throw new Error(`Expected a model for depth, got one for ${loaded.task}`);
    await check(loaded.model);
  } finally {
    await loaded.release();
  }
}

describe('a model of the family depth-anything', () => {
  test.each([
    [1, 1, 56, 56],
    [640, 480, 70, 56],
    [480, 640, 56, 70],
    [9000, 2, 168, 56],
  ])('wants a picture of %d × %d at %d × %d and gives nearness of 0 to 1 for it', (width, height, across, down) =>
    using(tinyDepth().entry, folder, async (model) => {
      const size = model.inputSize({ width, height });
      expect(size).toEqual({ width: across, height: down });
      const { data, ...plane } = await model.predict(noise(size, 3));
      expect(plane).toEqual(size);
      expect([Math.min(...data), Math.max(...data)]).toEqual([0, 1]);
    }),
  );

  test('takes all of a picture without contrast to be equally near', () =>
    using(
      { ...tinyDepth().entry, constants: { ...tinyDepth().entry.constants, size: [1, 1], multiple: 1 } },
      folder,
      async (model) => {
        expect(model.inputSize({ width: 30, height: 20 })).toEqual({ width: 1, height: 1 });
        expect([...(await model.predict(noise({ width: 1, height: 1 }, 3))).data]).toEqual([0.5]);
      },
    ));
});

describe('TCMonoDepth beside the repository', () => {
  const weights = sharedFiles('weights/depth', 'tcmonodepth_tcsmallnet_192x320.onnx')[0];
  const photo = sharedFiles('images/cc0', 'motorcycle_left.png')[0];
  test.skipIf(!weights || !photo)(
    'sees the floor before a motorcycle nearer than the wall behind it (needs ../shared)',
    async () => {
      const entry = await entryFor(weights as string);
      await using(entry, dirname(dirname(weights as string)), async (model) => {
        const { width, height } = model.inputSize({ width: 741, height: 500 });
        const { data } = await sharp(photo as string)
          .resize(width, height, { fit: 'fill' })
          .removeAlpha()
          .raw()
          .toBuffer({ resolveWithObject: true });
        const nearness = await model.predict({ data, width, height, channels: 3 });
        const mean = (from: number, to: number) => {
          const rows = nearness.data.subarray(from * width, to * width);
          return rows.reduce((sum, value) => sum + value, 0) / rows.length;
        };
        expect(mean(height - 20, height)).toBeGreaterThan(mean(0, 20) + 0.5);
      });
    },
  );
});

/** It takes samples of 0..255, at one size. */
async function entryFor(path: string): Promise<ModelEntry> {
  const bytes = await readFile(path);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const scale = 1 / 255;
  return {
    ...tinyDepth().entry,
    id: basename(dirname(path)),
    files: [{ name: basename(path), url: null, bytes: bytes.length, sha256 }],
    inputs: [{ name: 'input', type: 'float32', shape: [1, 3, 192, 320] }],
    outputs: [{ name: 'output', type: 'float32', shape: [1, 1, 192, 320] }],
    constants: { size: [320, 192], mean: [0, 0, 0], std: [scale, scale, scale] },
  };
}
