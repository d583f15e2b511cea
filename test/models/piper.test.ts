import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LoadedModel, loadModel } from '#src/models/load.js';
import type { ModelEntry } from '#src/models/lockfile.js';
import type { SpeechModel } from '#src/models/model.js';
import { entryOf, installWithParts } from '../helpers/listed-models.js';
import { sharedFiles } from '../helpers/shared.js';
import { piperConfig, samplesPerId, tinyPiper } from '../helpers/tiny-voices.js';
import { speechContract } from './speech-contract.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'darkroom-piper-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function load(config: object): Promise<LoadedModel> {
  const tiny = tinyPiper(config);
  await installWithParts(tiny, folder);
  return loadModel(tiny.entry, { folder, device: 'cpu', threads: 1 });
}

async function using(config: object, check: (model: SpeechModel) => Promise<void>): Promise<void> {
  const loaded = await load(config);
  if (loaded.task !== 'speech') throw new Error('Expected a model that speaks');
  await check(loaded.model).finally(() => loaded.release());
}

speechContract('piper', () => load(piperConfig));

describe('piper', () => {
  test('puts a pad after the beginning and after each phoneme, which may have several ids, and makes the loudest 1', async () => {
    await using(piperConfig, async ({ speak, sampleRate }) => {
      expect(sampleRate).toBe(22_050);
      const pcm = await speak('ab');
      const ids = [1, 0, 30, 0, 60, 61, 0, 2];
      expect(pcm).toHaveLength(ids.length * samplesPerId);
      for (const [at, id] of ids.entries()) expect(pcm[at * samplesPerId]).toBeCloseTo(id / 61, 5);
    });
  });

  test('gives the scales in the order of noise, length and noise in length', async () => {
    const inference = { noise_scale: 0.001, length_scale: 3, noise_w: 0.8 };
    await using({ ...piperConfig, inference }, async ({ speak }) => {
      const pcm = await speak('c', { speed: 1.5 });
      expect(pcm).toHaveLength(5 * samplesPerId * 2);
      // Near silence is not made loud: what is below a hundredth counts as a hundredth.
      expect(Math.max(...pcm)).toBeCloseTo((0.001 * 90) / 256 / 0.01, 5);
    });
  });

  test('names its speakers, or counts them', async () => {
    const several = { ...piperConfig, num_speakers: 2 };
    await using(several, async ({ voices }) => expect(voices).toEqual(['0', '1']));
    const speaker_id_map = { late: 1, early: 0 };
    await using({ ...several, speaker_id_map }, async ({ voices }) => expect(voices).toEqual(['early', 'late']));
  });

  test.each([
    ['that is none of a voice', { audio: {} }, /audio.sample_rate: .*inference/s],
    ['without a pad', { ...piperConfig, phoneme_id_map: { '^': [1], $: [2], a: [3] } }, /lack _/],
    ['with ids that can’t be', { ...piperConfig, phoneme_id_map: { _: [-1] } }, /phoneme_id_map/],
  ])('refuses a description %s', async (_, config, message) => {
    await expect(load(config)).rejects.toMatchObject({
      code: 'model_unavailable',
      message: expect.stringMatching(message),
    });
  });
});

describe('the voice beside the repository', () => {
  const paths = sharedFiles('weights/voice', '.onnx');
  if (paths.length === 0) test.skip('need ../shared/weights, which is not here', () => {});
  for (const path of paths) {
    const open = async () =>
      loadModel(await entryFor(path), { folder: dirname(dirname(path)), device: 'cpu', threads: 1 });
    speechContract(basename(path), open, { isStub: true });
  }
});

/** An entry for a voice as it lies there: its folder stands in for the id. */
async function entryFor(path: string): Promise<ModelEntry> {
  const file = async (name: string, part?: string) => {
    const bytes = await readFile(join(dirname(path), name));
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    return { name, url: null, bytes: bytes.length, sha256, ...(part === undefined ? {} : { part }) };
  };
  const name = basename(path);
  const files = [await file(name), await file(`${name}.json`, 'config')];
  return { ...entryOf('piper-de-thorsten'), id: basename(dirname(path)), files };
}
