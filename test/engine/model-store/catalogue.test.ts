import { mkdir, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readCatalogue, receiptName, watchCatalogue } from '#src/engine/model-store/catalogue.js';
import type { Lockfile, ModelEntry, WeightFile } from '#src/models/lockfile.js';
import { tempFolder } from '../../helpers/temp-folder.js';
import { tinyCutout, tinyUpscaler } from '../../helpers/tiny-models.js';

const mine = tinyUpscaler(2).entry;
const { entry: theirs } = tinyCutout();
const [file] = theirs.files as [WeightFile];
const unpinned: ModelEntry = { ...theirs, tier: 'open', files: [{ ...file, bytes: null, sha256: null }] };
const program: Lockfile = { version: 1, preferred: {}, models: [unpinned] };

async function receipt(folder: string, id: string, content: unknown): Promise<void> {
  await mkdir(join(folder, id), { recursive: true });
  await writeFile(join(folder, id, receiptName), typeof content === 'string' ? content : JSON.stringify(content));
}

describe('readCatalogue', () => {
  test('is that of the program where nothing lies, or nothing is yet', async () => {
    expect(readCatalogue(join(await tempFolder(), 'nowhere'), program)).toEqual({ lock: program, broken: [] });
  });

  test('pins a model of the program where it knows no digest, and nothing else of it', async () => {
    const folder = await tempFolder();
    await receipt(folder, theirs.id, { ...theirs, tier: 'open', licence: 'free as air', constants: {} });
    const [found] = readCatalogue(folder, program).lock.models;
    expect(found).toEqual({ ...unpinned, files: [file] });
    const known = { ...program, models: [{ ...theirs, tier: 'open' as const }] };
    await receipt(folder, theirs.id, { ...theirs, files: [{ ...file, sha256: '0'.repeat(64) }] });
    expect(readCatalogue(folder, known).lock.models[0]?.files).toEqual([file]);
  });

  test('has the models of the owner behind those of the program, prefers none of them', async () => {
    const folder = await tempFolder();
    await receipt(folder, mine.id, { ...mine, tier: 'open' });
    const { lock, broken } = readCatalogue(folder, program);
    expect(lock).toEqual({ ...program, models: [unpinned, { ...mine, tier: 'own' }] });
    expect(broken).toEqual([]);
  });

  test.each([
    ['no JSON', '{', "can't be read"],
    ['no entry', '{"id":"x"}', 'task: Invalid'],
    ['an entry of another name', { ...mine, id: 'other' }, 'is that of "other"'],
    ['one that says it is bundled', { ...mine, id: 'x', tier: 'bundled' }, 'comes with the program'],
    ['one with a path for a name', { ...mine, id: 'x', files: [{ ...file, name: '../../x' }] }, 'a plain file name'],
    ['a long text', ' '.repeat(2_000_000), 'is no entry'],
  ])('names a folder whose model.json is %s, and goes on', async (_, content, reason) => {
    const folder = await tempFolder();
    await receipt(folder, 'x', content);
    await receipt(folder, mine.id, mine);
    const { lock, broken } = readCatalogue(folder, program);
    expect(lock.models.map(({ id }) => id)).toEqual([theirs.id, mine.id]);
    expect(broken).toEqual([{ id: 'x', problem: expect.stringContaining(reason) }]);
    expect(broken[0]?.problem).toContain('x');
  });
});

test('watchCatalogue sees models come and go, and reads nothing twice', async () => {
  const folder = await tempFolder();
  const catalogue = watchCatalogue(folder, program);
  await receipt(folder, mine.id, mine);
  expect(catalogue().lock.models).toHaveLength(2);
  const longAgo = new Date(Date.now() - 60_000);
  await utimes(folder, longAgo, longAgo);
  expect(catalogue()).toBe(catalogue());
  await rename(join(folder, mine.id), join(folder, '.gone'));
  expect(catalogue().lock.models).toHaveLength(1);
  await rm(join(folder, '.gone'), { recursive: true });
});
