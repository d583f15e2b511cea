import { readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { backgroundRemoval } from '#src/engine/operations/background-removal.js';
import { parseParams } from '#src/engine/operations/index.js';
import { superviseHost } from '#src/engine/host/supervisor.js';
import type { Task, TaskResult, TaskRunner } from '#src/engine/task.js';
import { testSettings, testTask } from '../../fixtures/host/settings.js';
import { scene, temporaryFolder } from '../media/pictures.js';

let runner: TaskRunner;

beforeAll(async () => {
  const production = { operationsModule: null, loaderModule: null, workers: 1, threads: 2 };
  runner = superviseHost({ settings: testSettings(production) });
  await runner.ready();
});

afterAll(() => runner.close());

/** A picture of 40 × 30 pixels in a folder of the running test. */
async function savePicture(): Promise<string> {
  const path = join(temporaryFolder(), 'picture.png');
  const { data, ...raw } = scene(40, 30, 3);
  await sharp(data, { raw }).png().toFile(path);
  return path;
}

async function run(operation: string, path: string, changes: Partial<Task>): Promise<TaskResult> {
  const task = testTask(operation, { inputs: { image: [path] }, folder: dirname(path), ...changes });
  return runner.run(task, { signal: new AbortController().signal, onProgress: () => {} });
}

describe('a worker with the operations and models of the program', () => {
  it('enlarges a picture', async () => {
    const path = await savePicture();
    const result = await run('super-resolution', path, { model: 'upscale-x2', params: { scale: 2, format: 'png' } });
    const [output] = result.outputs;
    expect(output).toMatchObject({ width: 80, height: 60, format: 'png', contentType: 'image/png' });
    expect(dirname(output?.path ?? '')).toBe(dirname(path));
    expect(await sharp(output?.path).metadata()).toMatchObject({ width: 80, height: 60, format: 'png' });
    expect(result.device).toBe('cpu');
    expect(Object.keys(result.stageMs)).toEqual(expect.arrayContaining(['load', 'decode', 'infer', 'encode']));
  });

  it('cuts out a picture', async () => {
    const { params } = parseParams(backgroundRemoval, {});
    const result = await run('background-removal', await savePicture(), { model: 'cutout', params: { ...params } });
    expect(await sharp(result.outputs[0]?.path).metadata()).toMatchObject({ width: 40, height: 30, channels: 4 });
  });

  it('does several operations in one task, and encodes once', async () => {
    const steps = [
      { operation: 'background-removal' },
      { operation: 'super-resolution', scale: 2 },
      { operation: 'image-restoration', denoise: 0.2, format: 'webp' },
    ];
    const models = {
      '0/background-removal': 'cutout',
      '1/super-resolution': 'upscale-x2',
      '2/image-restoration': 'restore',
    };
    const path = await savePicture();
    const result = await run('pipeline', path, { model: 'cutout', models, params: { steps } });
    expect(result.outputs).toHaveLength(1);
    expect(result.outputs[0]).toMatchObject({ width: 80, height: 60, format: 'webp' });
    expect(await sharp(result.outputs[0]?.path).metadata()).toMatchObject({ width: 80, channels: 4, format: 'webp' });
    expect(result.models).toEqual(['cutout', 'upscale-x2', 'restore']);
    expect(readdirSync(dirname(path)).filter((name) => /\.(png|webp|jpg)$/.test(name))).toHaveLength(2);
    expect(result.facts.steps).toMatchObject(steps.map(({ operation }) => ({ operation })));
  });

  it('refuses a model that the lock file does not have, or that is for something else', async () => {
    const path = await savePicture();
    const params = { scale: 2, format: 'png' };
    await expect(run('super-resolution', path, { model: 'dall-e', params })).rejects.toMatchObject({
      code: 'model_unavailable',
    });
    await expect(run('super-resolution', path, { model: 'cutout', params })).rejects.toMatchObject({
      code: 'invalid_input',
      message: 'Expected a model for super-resolution, got "cutout" for background-removal',
    });
  });

  it('looks into a picture', async () => {
    const facts = await runner.inspect(await savePicture(), 'image');
    expect(facts).toMatchObject({ width: 40, height: 30, format: 'png', hasAlpha: false });
  });

  it('says which field a broken picture came in', async () => {
    const path = join(temporaryFolder(), 'picture.png');
    writeFileSync(path, 'no picture');
    await expect(runner.inspect(path, 'mask')).rejects.toMatchObject({
      code: 'invalid_input',
      details: { param: 'mask' },
    });
  });
});
