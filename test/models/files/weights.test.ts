import { mkdir, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Lockfile, ModelEntry, WeightFile } from '#src/models/lockfile.js';
import { chooseModel, modelStatuses, readVerified, weightPath } from '#src/models/files/weights.js';
import { install, tinyCutout, tinyUpscaler } from '../../helpers/tiny-models.js';

const x2 = tinyUpscaler(2);
const x4 = tinyUpscaler(4);
const cutout = tinyCutout();
const lock: Lockfile = {
  version: 1,
  preferred: { 'super-resolution': [x2.entry.id, x4.entry.id] },
  models: [x2.entry, x4.entry, cutout.entry],
};

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'darkroom-weights-'));
});
afterEach(() => rm(folder, { recursive: true }));

function choose(
  wanted: string,
  options: { lock?: Lockfile; allowNonCommercial?: boolean; scale?: number } = {},
): string {
  const { scale } = options;
  const misfit = (entry: ModelEntry) => (scale && entry.constants.scale !== scale ? `it enlarges otherwise` : null);
  const request = { task: 'super-resolution', wanted, misfit } as const;
  const context = { folder, allowNonCommercial: options.allowNonCommercial ?? false };
  return chooseModel(options.lock ?? lock, request, context).id;
}

function withEntry(change: Partial<ModelEntry>): Lockfile {
  return { ...lock, models: [{ ...x2.entry, ...change }, x4.entry] };
}

describe('chooseModel', () => {
  test('auto takes the first preferred model that is installed', async () => {
    await install(x4, folder);
    expect(choose('auto')).toBe(x4.entry.id);
    await install(x2, folder);
    expect(choose('auto')).toBe(x2.entry.id);
  });

  test('auto takes the model that fits the request', async () => {
    await install(x2, folder);
    await install(x4, folder);
    expect(choose('auto', { scale: 4 })).toBe(x4.entry.id);
  });

  test('auto says what to do when no model is installed', () => {
    expect(() => choose('auto')).toThrow(
      expect.objectContaining({
        code: 'model_unavailable',
        message: `Model "${x2.entry.id}" can't be used: ${x2.entry.id}.onnx is not installed; npx darkroom models add FILE`,
      }),
    );
  });

  test('auto says why when no model fits', () => {
    expect(() => choose('auto', { scale: 3 })).toThrow(/^No model for super-resolution fits this request; "tiny/);
  });

  test('auto takes one of the owner’s own where no preferred one can be used', async () => {
    await install(x4, folder);
    const mine: Lockfile = { ...lock, preferred: { 'super-resolution': [x2.entry.id] } };
    expect(choose('auto', { lock: mine })).toBe(x4.entry.id);
    await install(x2, folder);
    expect(choose('auto', { lock: mine })).toBe(x2.entry.id);
  });

  test('an unknown id is answered under the name of its param', () => {
    const request = { task: 'super-resolution', wanted: 'ghost', param: 'big_model' } as const;
    expect(() => chooseModel(lock, request, { folder, allowNonCommercial: false })).toThrow(
      expect.objectContaining({
        details: { param: 'big_model' },
        message: expect.stringMatching(/^Expected "big_model" to be one of auto, /),
      }),
    );
  });

  test('an id is taken as it is', async () => {
    await install(x4, folder);
    expect(choose(x4.entry.id)).toBe(x4.entry.id);
  });

  test('an unknown id, or one of another task, is answered with the ids of the task', () => {
    for (const wanted of ['ghost', cutout.entry.id]) {
      expect(() => choose(wanted)).toThrow(
        expect.objectContaining({
          code: 'invalid_input',
          details: { param: 'model' },
          message: `Expected "model" to be one of auto, ${x2.entry.id}, ${x4.entry.id}, got "${wanted}"`,
        }),
      );
    }
  });

  test('an id that does not fit the request is invalid', async () => {
    await install(x2, folder);
    const refusal = { code: 'invalid_input', message: `Model "${x2.entry.id}": it enlarges otherwise` };
    expect(() => choose(x2.entry.id, { scale: 4 })).toThrow(expect.objectContaining(refusal));
  });

  test('non-commercial weights are refused with the reason, unless allowed', async () => {
    await install(x2, folder);
    const bound = withEntry({ commercialUse: false, licence: 'CC-BY-NC-4.0' });
    const refusal = {
      code: 'model_unavailable',
      message: expect.stringMatching(/CC-BY-NC-4.0.*ALLOW_NONCOMMERCIAL=1/),
    };
    expect(() => choose(x2.entry.id, { lock: bound })).toThrow(expect.objectContaining(refusal));
    expect(choose(x2.entry.id, { lock: bound, allowNonCommercial: true })).toBe(x2.entry.id);
  });

  test('weights whose terms are not known are refused like those, and the refusal says so', async () => {
    await install(x2, folder);
    const lock = withEntry({ commercialUse: null, licenceUrl: 'https://example.com/card' });
    expect(() => choose(x2.entry.id, { lock })).toThrow(
      /is not known; read https:\/\/example.com\/card; DARKROOM_ALLOW/,
    );
    expect(choose(x2.entry.id, { lock, allowNonCommercial: true })).toBe(x2.entry.id);
  });
});

describe('modelStatuses', () => {
  test('tells what is installed and what is not', async () => {
    await install(x2, folder);
    const [first, second] = modelStatuses(lock, { folder, allowNonCommercial: false });
    expect(first).toEqual({
      id: x2.entry.id,
      task: 'super-resolution',
      family: 'upscaler',
      tier: 'own',
      licence: 'Apache-2.0',
      licenceUrl: null,
      commercialUse: true,
      bytes: x2.bytes.length,
      comes: 'import',
      installed: true,
      problem: null,
    });
    expect(second).toMatchObject({ installed: false, problem: expect.stringContaining('is not installed') });
  });

  test('a model of a family that is not there is listed with that problem, and not chosen', async () => {
    await install(x2, folder);
    const lock = withEntry({ family: 'magic' });
    const problem = 'expected a family for super-resolution (upscaler, srvgg, rrdbnet, swinir), got "magic"';
    expect(modelStatuses(lock, { folder, allowNonCommercial: false })[0]).toMatchObject({
      comes: 'never',
      installed: true,
      problem,
    });
    expect(() => choose(x2.entry.id, { lock })).toThrow(problem);
  });

  test('a file of another size is a problem', async () => {
    await install({ ...x2, bytes: x2.bytes.subarray(1) }, folder);
    const [status] = modelStatuses(lock, { folder, allowNonCommercial: false });
    expect(status).toMatchObject({
      installed: false,
      problem: expect.stringContaining(`found ${x2.bytes.length - 1}`),
    });
  });

  test('an installed model whose licence is refused is installed, with a problem', async () => {
    await install(x2, folder);
    const [status] = modelStatuses(withEntry({ commercialUse: false }), { folder, allowNonCommercial: false });
    expect(status).toMatchObject({ installed: true, problem: expect.stringContaining('forbids commercial use') });
  });
});

describe('readVerified', () => {
  const file = x2.entry.files[0] as WeightFile;

  test('gives the bytes that were checked', async () => {
    await install(x2, folder);
    expect(Buffer.from(x2.bytes).equals(await readVerified(x2.entry, file, folder))).toBe(true);
  });

  test('one changed bit is found, and both digests are named', async () => {
    const bytes = Uint8Array.from(x2.bytes);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    await install({ ...x2, bytes }, folder);
    await expect(readVerified(x2.entry, file, folder)).rejects.toMatchObject({
      code: 'model_unavailable',
      message: expect.stringMatching(
        new RegExp(`"${x2.entry.id}".*${file.sha256}, found [0-9a-f]{64}; npx darkroom models add`),
      ),
    });
  });

  test('a missing file and one without a digest are refused', async () => {
    await expect(readVerified(x2.entry, file, folder)).rejects.toMatchObject({ code: 'model_unavailable' });
    await install(x2, folder);
    const unpinned = { ...file, sha256: null };
    await expect(readVerified(x2.entry, unpinned, folder)).rejects.toThrow('has no sha256 to check it against');
  });

  test('a link out of the folder of the model is refused, whatever it points to', async () => {
    const elsewhere = join(folder, 'elsewhere.onnx');
    await writeFile(elsewhere, x2.bytes);
    await mkdir(join(folder, x2.entry.id));
    await symlink(elsewhere, weightPath(x2.entry, file, folder));
    await expect(readVerified(x2.entry, file, folder)).rejects.toThrow('is a link out of the folder of its model');
  });

  test('a folder of a model that is a link is refused, the folder of all models may be one', async () => {
    const elsewhere = join(folder, 'elsewhere');
    await install(x2, elsewhere);
    await symlink(join(elsewhere, x2.entry.id), join(folder, x2.entry.id));
    await expect(readVerified(x2.entry, file, folder)).rejects.toThrow('is a link out of the folder of its model');
    await symlink(elsewhere, join(folder, 'models'));
    expect(await readVerified(x2.entry, file, join(folder, 'models'))).toHaveLength(x2.bytes.length);
  });

  test('a file larger than any network is refused before it is read', async () => {
    await install(x2, folder);
    await truncate(weightPath(x2.entry, file, folder), 2 ** 31);
    const absurd = { ...file, bytes: 2 ** 31 };
    await expect(readVerified(x2.entry, absurd, folder)).rejects.toThrow('more than any ONNX file can have');
  });

  test('a link inside of the folder of the model is followed', async () => {
    await install({ ...x2, entry: { ...x2.entry, files: [{ ...file, name: 'v2.onnx' }] } }, folder);
    await symlink('v2.onnx', weightPath(x2.entry, file, folder));
    expect(await readVerified(x2.entry, file, folder)).toHaveLength(x2.bytes.length);
  });
});
