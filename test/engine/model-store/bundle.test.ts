import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pack } from 'tar-stream';
import { describe, expect, test } from 'vitest';
import { writeBundle } from '#src/engine/model-store/bundle.js';
import { type ImportParts, importBundle, importFile, isBundle } from '#src/engine/model-store/import.js';
import { incomingName } from '#src/engine/model-store/staging.js';
import type { Lockfile, ModelEntry } from '#src/models/lockfile.js';
import { readVerified } from '#src/models/files/weights.js';
import { tempFolder } from '../../helpers/temp-folder.js';
import { install, type TinyModel, tinyCutout, tinyUpscaler } from '../../helpers/tiny-models.js';

const cutout = tinyCutout();
const own = tinyUpscaler(2);
const listed: ModelEntry = { ...cutout.entry, tier: 'open' };
const program: Lockfile = { version: 1, preferred: {}, models: [listed] };

function partsIn(folder: string, change: Partial<ImportParts> = {}): ImportParts {
  return { folder, program, minFreeBytes: 0, freeBytes: async () => 1e12, consent: async () => {}, ...change };
}

/** A tar file with these members, as somebody might make one. */
async function tar(members: { name: string; bytes?: Uint8Array; type?: 'file' | 'symlink' | 'link' | 'directory' }[]) {
  const archive = pack();
  for (const { name, bytes = new Uint8Array(0), type = 'file' } of members) {
    archive.entry({ name, type, ...(type === 'file' ? {} : { linkname: '/etc/passwd' }) }, Buffer.from(bytes));
  }
  archive.finalize();
  const path = join(await tempFolder(), 'bundle.tar');
  await writeFile(path, await buffer(archive as unknown as Readable));
  return path;
}

const manifest = (...models: TinyModel['entry'][]) => ({
  name: 'darkroom-models.json',
  bytes: Buffer.from(JSON.stringify({ version: 1, models })),
});
const member = ({ entry, bytes }: TinyModel) => ({ name: `${entry.id}/${entry.files[0]?.name}`, bytes });

const seen = async (folder: string) => (await readdir(folder)).filter((name) => name !== incomingName);

describe('a bundle', () => {
  test('carries models to another data folder', async () => {
    const [here, there, out] = [await tempFolder(), await tempFolder(), await tempFolder()];
    await install(cutout, here);
    await install(own, here);
    const path = join(out, 'bundle.tar');
    await writeBundle(path, [listed, own.entry], here);
    expect(await readdir(out)).toEqual(['bundle.tar']);
    expect(await isBundle(path)).toBe(true);
    const taken = await importBundle(path, partsIn(there));
    expect(taken).toEqual([listed, own.entry]);
    for (const entry of taken) for (const file of entry.files) await readVerified(entry, file, there);
    expect(JSON.parse(await readFile(join(there, own.entry.id, 'model.json'), 'utf8'))).toEqual(own.entry);
  });

  test('is not written of a model that is damaged or not there', async () => {
    const [here, out] = [await tempFolder(), await tempFolder()];
    await expect(writeBundle(join(out, 'a.tar'), [listed], here)).rejects.toMatchObject({ code: 'model_unavailable' });
    await install({ ...cutout, bytes: cutout.bytes.map((byte) => byte ^ 1) }, here);
    await expect(writeBundle(join(out, 'a.tar'), [listed], here)).rejects.toThrow("can't be exported: expected");
    expect(await readdir(out)).toEqual([]);
  });

  test.each([
    ['a path out of its folder', [{ name: '../../evil.onnx', bytes: cutout.bytes }], '"../../evil.onnx"'],
    ['an absolute path', [{ name: '/tmp/evil.onnx', bytes: cutout.bytes }], '"/tmp/evil.onnx"'],
    ['a symbolic link', [{ name: member(cutout).name, type: 'symlink' as const }], '(symlink)'],
    ['a hard link', [{ name: member(cutout).name, type: 'link' as const }], '(link)'],
    ['a file twice', [member(cutout), member(cutout)], 'which its list does not have'],
    ['more than it lists', [member(cutout), { name: 'readme.txt', bytes: cutout.bytes }], '"readme.txt"'],
    ['less than it lists', [], 'is missing'],
    ['other bytes', [{ ...member(cutout), bytes: cutout.bytes.map((byte) => byte ^ 1) }], 'with sha256'],
    ['another length', [{ ...member(cutout), bytes: new Uint8Array(9) }], `expected ${cutout.bytes.length} bytes`],
  ])('is refused with %s, and nothing of it is seen', async (_, members, reason) => {
    const folder = await tempFolder();
    const path = await tar([manifest(listed), ...members]);
    await expect(importBundle(path, partsIn(folder))).rejects.toMatchObject({
      code: 'invalid_input',
      message: expect.stringContaining(reason),
    });
    expect(await seen(folder)).toEqual([]);
    expect(await readdir(join(folder, incomingName))).toEqual([]);
  });

  test('is refused when it is cut off anywhere, or its list is missing', async () => {
    const folder = await tempFolder();
    const whole = await readFile(await tar([manifest(listed), member(cutout)]));
    for (let length = 600; length < whole.length - 1024; length += 1500) {
      const path = join(await tempFolder(), 'cut.tar');
      await writeFile(path, whole.subarray(0, length));
      await expect(importBundle(path, partsIn(folder))).rejects.toMatchObject({ code: 'invalid_input' });
    }
    await expect(importBundle(await tar([member(cutout)]), partsIn(folder))).rejects.toThrow(
      'expected darkroom-models.json first',
    );
    expect(await seen(folder)).toEqual([]);
  });

  test('is refused with other files than the program knows of a model, and with bundled ones', async () => {
    const folder = await tempFolder();
    const [file] = listed.files;
    const other = { ...listed, files: [{ ...file, sha256: '0'.repeat(64) }] } as ModelEntry;
    await expect(importBundle(await tar([manifest(other), member(cutout)]), partsIn(folder))).rejects.toThrow(
      `Model "tiny-cutout" of the bundle is refused: expected tiny-cutout.onnx with sha256 ${file?.sha256}`,
    );
    const bundled = { ...own.entry, tier: 'bundled' as const };
    await expect(importBundle(await tar([manifest(bundled), member(own)]), partsIn(folder))).rejects.toThrow(
      'comes with the program',
    );
  });

  test('is taken after a yes to its licences, as the program states them, and where there is room', async () => {
    const folder = await tempFolder();
    const path = await tar([manifest({ ...listed, licence: 'free as air' }), member(cutout)]);
    const asked: string[] = [];
    const consent = async (models: readonly ModelEntry[]) => {
      asked.push(...models.map(({ licence }) => licence));
      throw new Error('no');
    };
    await expect(importBundle(path, partsIn(folder, { consent }))).rejects.toThrow('no');
    expect(asked).toEqual(['Apache-2.0']);
    await expect(importBundle(path, partsIn(folder, { freeBytes: async () => 10 }))).rejects.toMatchObject({
      code: 'storage_full',
    });
    expect(await seen(folder)).toEqual([]);
  });
});

describe('importFile', () => {
  const unpinned: ModelEntry = { ...listed, files: [{ name: 'net.onnx', url: null, bytes: null, sha256: null }] };

  test('takes a file of any name as that of a listed model, and keeps its digest', async () => {
    const [folder, elsewhere] = [await tempFolder(), await tempFolder()];
    await mkdir(elsewhere, { recursive: true });
    const path = join(elsewhere, 'converted-by-me.onnx');
    await writeFile(path, cutout.bytes);
    expect(await isBundle(path)).toBe(false);
    const entry = await importFile(path, unpinned, partsIn(folder));
    expect(entry.files).toEqual([{ ...listed.files[0], name: 'net.onnx' }]);
    for (const file of entry.files) await readVerified(entry, file, folder);
  });

  test('refuses one that is another network or no network', async () => {
    const [folder, elsewhere] = [await tempFolder(), await tempFolder()];
    for (const bytes of [own.bytes, Buffer.from('<html>'), cutout.bytes.subarray(0, 500)]) {
      await writeFile(join(elsewhere, 'x.onnx'), bytes);
      await expect(importFile(join(elsewhere, 'x.onnx'), unpinned, partsIn(folder))).rejects.toMatchObject({
        code: 'model_unavailable',
      });
    }
    expect(await seen(folder)).toEqual([]);
  });
});
