import { mkdir, readFile, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readConfig } from '#src/engine/config.js';
import { type ModelShelf, openShelf } from '#src/engine/shelf.js';
import { install, tinyUpscaler } from '../helpers/tiny-models.js';
import { tempFolder } from '../helpers/temp-folder.js';
import { until } from '../helpers/until.js';

const mine = tinyUpscaler(2);
const { id } = mine.entry;
const file = (data: string) => join(data, 'models', id, mine.entry.files[0]?.name ?? '');

/** A data folder with a model of the owner's own. */
async function dataFolder(): Promise<string> {
  const data = await tempFolder();
  await install(mine, join(data, 'models'));
  await writeFile(join(data, 'models', id, 'model.json'), JSON.stringify(mine.entry));
  return data;
}

async function open(data: string): Promise<ModelShelf> {
  const shelf = await openShelf(readConfig({ DARKROOM_DATA: data }));
  onTestFinished(() => shelf.close());
  return shelf;
}

const choose = (shelf: ModelShelf) => shelf.choose([{ task: 'super-resolution', wanted: id }]).main;
const statusOf = (shelf: ModelShelf) => shelf.statuses().find((status) => status.id === id);

/** Changes one bit, and leaves size and time as they were. */
async function flip(path: string): Promise<void> {
  const bytes = await readFile(path);
  bytes[200] = (bytes[200] ?? 0) ^ 1;
  await writeFile(path, bytes);
}

describe('the shelf', () => {
  test('offers a model of the owner by its name, and prefers its own', async () => {
    const shelf = await open(await dataFolder());
    expect(choose(shelf)).toBe(id);
    expect(statusOf(shelf)).toMatchObject({ tier: 'own', installed: true, problem: null });
    expect(shelf.choose([{ task: 'super-resolution', wanted: 'auto' }]).main).toBe('upscale-x2');
    expect([shelf.problems(), shelf.warnings()]).toEqual([[], []]);
  });

  test('says at once which models are missing, where each comes from and under which licence', async () => {
    const shelf = await open(await tempFolder());
    const needs = (['super-resolution', 'face-detection', 'face-restoration'] as const).map((task) => ({
      task,
      wanted: 'auto',
    }));
    expect(() => shelf.choose(needs)).toThrow(
      expect.objectContaining({
        code: 'model_unavailable',
        message: expect.stringMatching(
          /models pull yunet \(licence: MIT\); .*models pull restoreformer-plus-plus \(licence: Apache-2.0\)$/,
        ),
      }),
    );
    const optional = needs.map((need) => ({ ...need, optional: true }));
    expect(shelf.choose(optional).bySlot).toEqual({ 'super-resolution': 'upscale-x2' });
  });

  test('sees a model that comes while it is open', async () => {
    const data = await tempFolder();
    const shelf = await open(data);
    expect(statusOf(shelf)).toBeUndefined();
    await install(mine, join(data, 'models'));
    await writeFile(join(data, 'models', id, 'model.json'), JSON.stringify(mine.entry));
    expect(choose(shelf)).toBe(id);
  });

  test('finds a flipped byte soon after the start, names it with the remedy, and refuses it from then on', async () => {
    const data = await dataFolder();
    await flip(file(data));
    const shelf = await open(data);
    await until(() => shelf.warnings().length > 0, 'a warning');
    expect(shelf.warnings()).toEqual([
      expect.stringMatching(new RegExp(`^Model "${id}" can't be used: .*sha256.*; npx `)),
    ]);
    expect(() => choose(shelf)).toThrow(expect.objectContaining({ code: 'model_unavailable' }));
    expect(statusOf(shelf)?.problem).toMatch(/sha256/);
  });

  test('finds it when a job could not load the model, and takes it back when the file is well again', async () => {
    const data = await dataFolder();
    const shelf = await open(data);
    const good = await readFile(file(data));
    await flip(file(data));
    await shelf.suspect([id]);
    expect(() => choose(shelf)).toThrow('sha256');
    await writeFile(file(data), good);
    const later = new Date(Date.now() + 5000);
    await utimes(file(data), later, later);
    expect(choose(shelf)).toBe(id);
    expect(shelf.warnings()).toEqual([]);
  });

  test('names a truncated file at once', async () => {
    const data = await dataFolder();
    await truncate(file(data), 100);
    const shelf = await open(data);
    expect(shelf.warnings()).toEqual([expect.stringMatching(/expected \d+ bytes in .*, found 100; npx darkroom/)]);
    expect(statusOf(shelf)).toMatchObject({ installed: false });
  });

  test('names a folder whose entry is broken, and starts all the same', async () => {
    const data = await tempFolder();
    await mkdir(join(data, 'models/mystery'), { recursive: true });
    await writeFile(join(data, 'models/mystery/model.json'), '{');
    const shelf = await open(data);
    expect(shelf.warnings()).toEqual([expect.stringContaining('models/mystery/model.json')]);
    expect(shelf.choose([{ task: 'super-resolution', wanted: 'auto' }]).main).toBe('upscale-x2');
  });
});
