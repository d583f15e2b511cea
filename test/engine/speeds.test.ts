import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Speeds } from '#src/engine/speeds.js';
import type { TaskResult } from '#src/engine/task.js';
import { tempFolder } from '../helpers/temp-folder.js';

const done = (inferMs: number, change: Partial<TaskResult> = {}): TaskResult => ({
  outputs: [{ path: 'out.png', format: 'png', contentType: 'image/png', width: 2000, height: 1000 }],
  warnings: [],
  facts: {},
  device: 'cpu',
  models: ['cutout'],
  stageMs: { infer: inferMs },
  ...change,
});

describe('Speeds', () => {
  test('are the mean of the first jobs, and follow the later ones', () => {
    const speeds = new Speeds(null);
    speeds.note(done(100));
    speeds.note(done(300));
    expect(speeds.of('cutout', 'cpu')).toMatchObject({ device: 'cpu', jobs: 2, inferMs: 200 });
    expect(speeds.of('cutout', 'cpu')?.megapixelsPerSecond).toBeCloseTo((20 + 2 / 0.3) / 2);
    for (let job = 0; job < 200; job++) speeds.note(done(1000));
    expect(speeds.of('cutout', 'cpu')?.inferMs).toBeGreaterThan(950);
  });

  test('say nothing of a job with several models or without a network', () => {
    const speeds = new Speeds(null);
    speeds.note(done(100, { models: ['cutout', 'inpaint'] }));
    speeds.note(done(100, { models: [] }));
    speeds.note(done(100, { stageMs: { decode: 20 } }));
    expect([speeds.of('cutout', 'cpu'), speeds.of('inpaint', 'cpu')]).toEqual([null, null]);
  });

  test('are those of one device: another begins anew', () => {
    const speeds = new Speeds(null);
    speeds.note(done(100));
    expect(speeds.of('cutout', 'cuda')).toBeNull();
    speeds.note(done(5, { device: 'cuda', outputs: [] }));
    expect(speeds.of('cutout', 'cuda')).toEqual({ device: 'cuda', jobs: 1, inferMs: 5, megapixelsPerSecond: null });
  });

  test('are kept in a file, written now and then, and read at the next start', async () => {
    const path = join(await tempFolder(), 'speeds.json');
    let now = 0;
    const speeds = new Speeds(path, () => now);
    speeds.note(done(100));
    speeds.note(done(200));
    expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({ cutout: { jobs: 1 } });
    now = 10_000;
    speeds.note(done(300));
    expect(new Speeds(path).of('cutout', 'cpu')).toMatchObject({ jobs: 3, inferMs: 200 });
  });

  test('begin anew where the file is broken, and break no job where it cannot be written', async () => {
    const folder = await tempFolder();
    await writeFile(join(folder, 'speeds.json'), '{"cutout": 7}');
    expect(new Speeds(join(folder, 'speeds.json')).of('cutout', null)).toBeNull();
    new Speeds(join(folder, 'nowhere', 'speeds.json')).note(done(1));
  });
});
