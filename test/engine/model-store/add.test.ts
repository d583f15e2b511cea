import { readdir, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { addModel, type OwnModel } from '#src/engine/model-store/add.js';
import { readCatalogue } from '#src/engine/model-store/catalogue.js';
import { incomingName } from '#src/engine/model-store/staging.js';
import { verifyModel } from '#src/engine/model-store/verify.js';
import type { Lockfile } from '#src/models/lockfile.js';
import { onnx } from '../../helpers/onnx.js';
import { tempFolder } from '../../helpers/temp-folder.js';
import { tinyUpscaler } from '../../helpers/tiny-models.js';

const { entry, bytes } = tinyUpscaler(2);
const lock: Lockfile = { version: 1, preferred: {}, models: [{ ...entry, tier: 'open' }] };

/** Adds a file of these bytes to a folder of its own. */
async function add(change: Partial<OwnModel> = {}, content: Uint8Array = bytes) {
  const [folder, elsewhere] = [await tempFolder(), await tempFolder()];
  const file = join(elsewhere, 'My best net (2).onnx');
  await writeFile(file, content);
  const usual = { file, family: 'upscaler', constants: { scale: 2, overlap: 2 }, parts: {}, isNonCommercial: false };
  const adding = addModel({ ...usual, ...change }, lock, folder);
  return { folder, file, adding };
}

describe('addModel', () => {
  test('makes an entry from what the file declares, and keeps a copy under a plain name', async () => {
    const { folder, adding } = await add();
    const added = await adding;
    expect(added).toMatchObject({
      id: 'my-best-net-2',
      task: 'super-resolution',
      tier: 'own',
      inputs: entry.inputs,
      outputs: entry.outputs,
      commercialUse: true,
      files: [{ name: 'My-best-net--2-.onnx', bytes: bytes.length, sha256: entry.files[0]?.sha256 }],
    });
    expect(readCatalogue(folder, lock).lock.models[1]).toEqual(added);
    expect(await verifyModel(added, folder)).toEqual({ id: added.id, state: 'good', problem: null });
  });

  test('takes the constants and kinds of pictures of a model that it is like, and what is said beside them', async () => {
    const { adding } = await add({ like: entry.id, constants: { overlap: 7 } });
    expect((await adding).constants).toEqual({ scale: 2, overlap: 7 });
    expect((await adding).suits).toBeUndefined();
    const forDrawings: Lockfile = { ...lock, models: [{ ...entry, tier: 'open', suits: ['drawing'] }] };
    const file = join(await tempFolder(), 'mine.onnx');
    await writeFile(file, bytes);
    const like = { file, family: 'upscaler', like: entry.id, constants: {}, parts: {}, isNonCommercial: false };
    expect((await addModel(like, forDrawings, await tempFolder())).suits).toEqual(['drawing']);
    const { adding: unlike } = await add({ like: entry.id, family: 'srvgg' });
    await expect(unlike).rejects.toThrow('--like: expected a model of family "srvgg", got "tiny-upscaler-x2"');
  });

  test('keeps further files with their parts', async () => {
    const voices = join(await tempFolder(), 'voices.bin');
    await writeFile(voices, 'voices');
    const { adding } = await add({ parts: { voices } });
    expect((await adding).files[1]).toMatchObject({ name: 'voices.bin', part: 'voices', bytes: 6 });
  });

  test.each<[string, Partial<OwnModel>, string]>([
    ['the name of a model of the program', { id: entry.id }, '--id: "tiny-upscaler-x2" is a model of the program'],
    ['a name that is a path', { id: '../x' }, 'id: Expected lower case'],
    ['a family that there is not', { family: 'magic' }, '--family: expected one of '],
    ['a family of another task', { task: 'inpainting' }, '--family: expected one of '],
    ['constants that its family cannot use', { constants: { scale: 200 } }, 'constants.scale'],
    [
      'a network that its family could not run',
      { family: 'lama', constants: { size: 512, peak: 255 } },
      'expected input 1 to be float32 [any, 3, any, any], found uint8 [N, H, W, 3]',
    ],
    ['a file that there is not', { file: '/nowhere/x.onnx' }, 'file: /nowhere/x.onnx is no file'],
  ])('refuses %s', async (_, change, message) => {
    const { folder, adding } = await add(change);
    await expect(adding).rejects.toThrow(message);
    expect((await readdir(folder)).filter((name) => name !== incomingName)).toEqual([]);
  });

  test('refuses what is no network, reaches outside of its file, or is larger than any network', async () => {
    const page = await add({}, Buffer.from('<html>'));
    await expect(page.adding).rejects.toThrow('no complete ONNX network');
    const tensor = { name: 'x', type: 'float32' as const, shape: [1] };
    const external = { name: 'w', dims: [1], data: Float32Array.of(1), external: 'weights.bin' };
    const nodes = [{ op: 'Identity', inputs: ['w'], outputs: ['x'] }];
    const reaching = await add({}, onnx({ inputs: [], outputs: [tensor], nodes, initializers: [external] }));
    await expect(reaching.adding).rejects.toThrow('external data');
    const { file } = page;
    await truncate(file, 2 ** 31);
    await expect((await add({ file })).adding).rejects.toThrow('expected at most 2.1 GB');
  });
});
