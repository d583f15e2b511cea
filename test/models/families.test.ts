import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Pixels } from '#src/engine/media/media.js';
import { type LoadedModel, loadModel } from '#src/models/load.js';
import { type ModelEntry, readLockfile, type WeightFile } from '#src/models/lockfile.js';
import { bundledFolder, lockfilePath } from '#src/models/files/weights.js';
import { tinyEnlarger, tinyLama, tinyMigan, tinyModnet, tinyRestorer } from '../helpers/listed-models.js';
import { onnx } from '../helpers/onnx.js';
import { noise } from '../helpers/pictures.js';
import { sharedFiles } from '../helpers/shared.js';
import {
  install,
  tinyBirefnet,
  tinyCutout,
  tinyInpainter,
  tinySaliency,
  tinyUpscaler,
} from '../helpers/tiny-models.js';
import { inpaintContract, mattingContract, restoreContract, upscaleContract } from './model-contract.js';

const tinies = [
  tinyCutout(),
  tinySaliency(),
  tinyBirefnet(),
  tinyUpscaler(2),
  tinyUpscaler(4),
  tinyUpscaler(2, 'srvgg'),
  tinyUpscaler(4, 'srvgg'),
  tinyInpainter(192),
  tinyLama(),
  tinyLama('lama-opencv'),
  tinyMigan(),
  ...['realesrgan-x2plus', 'realesrgan-x4plus', 'swinir-real-x4', 'swin2sr-real-x4'].map(tinyEnlarger),
  ...['scunet-real-psnr', 'scunet-real-gan', 'nafnet-deblur', 'denoise-realplksr'].map(tinyRestorer),
  tinyModnet(),
];
const bundled = readLockfile(lockfilePath).models.filter(({ tier }) => tier === 'bundled');

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'darkroom-families-'));
  for (const tiny of tinies) await install(tiny, folder);
});
afterAll(() => rm(folder, { recursive: true }));

function load(entry: ModelEntry): Promise<LoadedModel> {
  return loadModel(entry, { folder, device: 'cpu', threads: 1 });
}

for (const entry of [...tinies.map((tiny) => tiny.entry), ...bundled]) {
  // The whole picture is mirrored up to a multiple at its border, the tile that ends there may be one already.
  const exact = (entry.constants.multiple ?? 1) === 1;
  if (entry.task === 'super-resolution') upscaleContract(entry.id, () => load(entry), { exact });
  else if (entry.task === 'inpainting') inpaintContract(entry.id, () => load(entry));
  else if (entry.task === 'image-restoration') restoreContract(entry.id, () => load(entry));
  else mattingContract(entry.id, () => load(entry));
}

describe('the bundled files', () => {
  test.each(bundled)('$id is the one in the lock file (otherwise run scripts/lock-models.js)', async ({ files }) => {
    for (const { name, bytes, sha256 } of files) {
      const found = await readFile(join(bundledFolder, name));
      expect([found.length, createHash('sha256').update(found).digest('hex')]).toEqual([bytes, sha256]);
    }
  });

  test.each(bundled)('$id comes with a model card', async ({ id }) => {
    expect((await stat(join(bundledFolder, `${id}.md`))).size).toBeGreaterThan(500);
  });
});

describe('loadModel', () => {
  const { entry } = tinyCutout();

  test('refuses a family that it does not know, or that is for another task', async () => {
    await expect(load({ ...entry, family: 'magic' })).rejects.toThrow(
      'expected a family for background-removal (cutout, saliency, birefnet, modnet)',
    );
    await expect(load({ ...entry, family: 'srvgg' })).rejects.toMatchObject({ code: 'model_unavailable' });
  });

  test('refuses constants that the family cannot use, and names them', async () => {
    const constants = { size: 100, fit: 'stretch' };
    await expect(load({ ...entry, constants })).rejects.toMatchObject({
      code: 'model_unavailable',
      message: expect.stringMatching(/"tiny-cutout" of family "cutout": constants.size: /),
    });
  });

  test('refuses a network whose tensors are not those of its entry, and weights that are no network', async () => {
    const inputs = [{ name: 'picture', type: 'uint8' as const, shape: ['N', 'H', 'W', 3] }];
    await expect(load({ ...entry, inputs })).rejects.toThrow('expected an input "picture", found "image"');
    const voices = { ...entry, id: 'voices', files: entry.files.map((file) => ({ ...file, name: 'voices.bin' })) };
    await install({ entry: voices, bytes: tinyCutout().bytes }, folder);
    await expect(load(voices)).rejects.toThrow('its first file must be a network');
  });

  test('refuses a network of another shape where its entry tells none', async () => {
    const tensor = (name: string) => ({ name, type: 'float32' as const, shape: [1, 64, 64, 3] });
    const bytes = onnx({
      inputs: [tensor('input.1')],
      outputs: [tensor('1959')],
      nodes: [{ op: 'Identity', inputs: ['input.1'], outputs: ['1959'] }],
    });
    const unknown = (name: string) => [{ name, type: 'float32' as const, shape: null }];
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const made: ModelEntry = {
      ...tinySaliency().entry,
      id: 'interleaved',
      inputs: unknown('input.1'),
      outputs: unknown('1959'),
      files: [{ name: 'interleaved.onnx', url: null, bytes: bytes.length, sha256 }],
    };
    await install({ entry: made, bytes }, folder);
    await expect(load(made)).rejects.toThrow(
      'Model "interleaved" of family "saliency": expected input 1 to be float32 [any, 3, any, any], found float32 [1, 64, 64, 3]',
    );
  });

  test('reads the further files of a model and refuses it when one of them is not what its entry says', async () => {
    const file = { ...entry.files[0], part: 'second', name: 'second.onnx' } as WeightFile;
    const both = { ...entry, id: 'two-files', files: [...entry.files, file] };
    await install({ entry: both, bytes: tinyCutout().bytes }, folder);
    await expect(load(both)).rejects.toThrow('second.onnx is not installed');
    await writeFile(join(folder, both.id, 'second.onnx'), tinyCutout().bytes);
    const loaded = await load(both);
    expect(loaded.bytes).toBe(2 * tinyCutout().bytes.length);
    await loaded.release();
    const strange = [{ name: 'tokens', type: 'int64' as const, shape: ['N'] }];
    await expect(load({ ...both, files: [...entry.files, { ...file, inputs: strange }] })).rejects.toThrow('"tokens"');
  });
});

describe('birefnet', () => {
  test('makes of logits what saliency makes of their logistic function', async () => {
    const [one, other] = [await load(tinySaliency().entry), await load(tinyBirefnet().entry)];
    if (one.task !== 'background-removal' || other.task !== 'background-removal') throw new Error('Expected mattes');
    const picture = noise({ width: 64, height: 64 }, 3);
    const [expected, found] = [await one.model.predict(picture), await other.model.predict(picture)];
    for (const [at, value] of found.data.entries()) expect(value).toBeCloseTo(expected.data[at] as number, 5);
    expect(Math.max(...found.data)).toBe(1);
    await Promise.all([one.release(), other.release()]);
  });
});

describe('lama', () => {
  test('takes the result for what the entry says of its range', async () => {
    const tiny = tinyLama();
    const [one, other] = [await load(tiny.entry), await load({ ...tiny.entry, constants: { size: 512, peak: 1 } })];
    if (one.task !== 'inpainting' || other.task !== 'inpainting') throw new Error('Expected inpainting');
    const crop = noise({ width: 20, height: 10 }, 3);
    const mask: Pixels = { data: new Uint8Array(200).fill(255, 90, 110), width: 20, height: 10, channels: 1 };
    const [filled, bright] = [await one.model.fill(crop, mask), await other.model.fill(crop, mask)];
    expect(filled.data.slice(270, 330).every((level) => level > 80 && level < 180)).toBe(true);
    expect(bright.data.slice(270, 330).every((level) => level === 255)).toBe(true);
    await Promise.all([one.release(), other.release()]);
  });
});

describe('the open weights beside the repository', () => {
  const enlargers = sharedFiles('weights/super-resolution', '.onnx');
  const portraits = sharedFiles('weights/portrait', 'prisma_nchw.onnx');
  if (enlargers.length === 0) test.skip('need ../shared/weights, which is not here', () => {});
  const open = async (path: string, facts: Partial<ModelEntry>) =>
    loadModel(await entryFor(path, facts), { folder: dirname(dirname(path)), device: 'cpu', threads: 2 });
  for (const path of enlargers) {
    const scale = /x2/.test(basename(path)) ? 2 : 4;
    const { entry } = tinyUpscaler(2, 'srvgg');
    const facts = { ...entry, constants: { scale, overlap: 16 } };
    upscaleContract(basename(path), () => open(path, facts), { exact: false });
  }
  for (const path of portraits) {
    const { entry } = tinySaliency();
    const tensor = (name: string, channels: number) =>
      [{ name, type: 'float32', shape: ['N', channels, 256, 256] }] satisfies ModelEntry['inputs'];
    const size = { width: 256, height: 256, mean: [0, 0, 0], std: [1, 1, 1] };
    const constants = { ...size, peak: 'full', stretch: false };
    const facts = { ...entry, constants, inputs: tensor('input_3', 3), outputs: tensor('permute_2', 1) };
    mattingContract(basename(path), () => open(path, facts));
  }
});

/** An entry for a file as it lies there: its folder stands in for the id. */
async function entryFor(path: string, facts: Partial<ModelEntry>): Promise<ModelEntry> {
  const bytes = await readFile(path);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return {
    ...tinyCutout().entry,
    ...facts,
    id: basename(dirname(path)),
    files: [{ name: basename(path), url: null, bytes: bytes.length, sha256 }],
  };
}
