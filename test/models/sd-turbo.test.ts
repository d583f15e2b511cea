import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Pixels } from '#src/engine/media/media.js';
import { type LoadedModel, loadModel } from '#src/models/load.js';
import type { ModelEntry } from '#src/models/lockfile.js';
import { installWithParts } from '../helpers/listed-models.js';
import { paint } from '../helpers/pictures.js';
import { fullSigma, tinyTurbo } from '../helpers/tiny-turbo.js';
import { generationContract } from './generation-contract.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'darkroom-turbo-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function load(
  turbo = attentive,
  change: (entry: ModelEntry) => ModelEntry = (entry) => entry,
): Promise<LoadedModel> {
  await installWithParts(turbo, folder);
  return loadModel(change(turbo.entry), { folder, device: 'cpu', threads: 2 });
}

async function generate(
  turbo: typeof attentive,
  prompt: string,
  from?: { picture: Pixels; strength: number },
): Promise<Pixels> {
  const loaded = await load(turbo);
  if (loaded.task !== 'image-generation') throw new Error('Expected a model that makes pictures');
  const size = { width: 128, height: 64 };
  return loaded.model.generate(prompt, { seed: 1, size, from }).finally(() => loaded.release());
}

/** Finds all noise, and adds what the words say. */
const attentive = tinyTurbo({ kept: Math.sqrt(fullSigma ** 2 + 1) / fullSigma, told: -0.01 });
/** Finds no noise. */
const blind = tinyTurbo({ kept: 0, told: 0 });

generationContract('sd-turbo', () => load());

describe('sd-turbo', () => {
  test('takes one step from all the noise, at the last step of training, by what the words say', async () => {
    // Start, "a", end, then 74 times 0; every id / 64, of which the picture becomes 0.01 × sigma / vaeScale, halved.
    const mean = (514 + 320 + 515) / 77 / 64;
    const expected = 255 * (0.5 + (0.01 * fullSigma * mean) / 0.18215 / 2);
    const { data } = await generate(attentive, 'a');
    expect(data.reduce((sum, level) => sum + level, 0) / data.length).toBeCloseTo(expected, -0.3);
  });

  test('goes on from a picture, and keeps less of it with more strength', async () => {
    const picture = paint({ width: 128, height: 64 }, 3, (x) => (x < 64 ? [60, 100, 200] : [200, 100, 60]));
    const kept = await generate(blind, '', { picture, strength: 0.001 });
    for (const [x, channel, level] of [
      [0, 0, 60],
      [0, 2, 200],
      [64, 0, 200],
      [64, 1, 100],
    ] as const) {
      expect(Math.abs(meanOf(kept, x, channel) - level)).toBeLessThan(8);
    }
    const lost = await generate(blind, '', { picture, strength: 1 });
    expect(meanOf(lost, 64, 0) - meanOf(lost, 0, 0)).toBeLessThan(70);
  });

  test('is refused before a session is made when a part has other tensors, or its words are none', async () => {
    const wrong = { ...attentive, parts: { ...attentive.parts, merges: Buffer.from('') } };
    await expect(load(wrong)).rejects.toMatchObject({
      code: 'model_unavailable',
      message: expect.stringMatching(/merges.txt/),
    });
    const other = (entry: ModelEntry): ModelEntry => ({
      ...entry,
      files: entry.files.map((file) =>
        file.part === 'vae-decoder' ? { ...file, inputs: [{ name: 'latents', type: 'float16', shape: null }] } : file,
      ),
    });
    await expect(load(attentive, other)).rejects.toMatchObject({
      code: 'model_unavailable',
      message: expect.stringMatching(/"latents"/),
    });
    const without = (entry: ModelEntry): ModelEntry => ({
      ...entry,
      constants: { ...entry.constants, padding: 'nothing' },
    });
    await expect(load(attentive, without)).rejects.toMatchObject({
      message: expect.stringMatching(/vocabulary has no "nothing"/),
    });
  });
});

/** Of the 64 columns from this one on. */
function meanOf({ data, width, height }: Pixels, left: number, channel: number): number {
  let sum = 0;
  for (let y = 0; y < height; y++) {
    for (let x = left; x < left + 64; x++) sum += data[3 * (y * width + x) + channel] as number;
  }
  return sum / 64 / height;
}
