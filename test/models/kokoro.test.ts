import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ZipFile } from 'yazl';
import { kokoroAlphabet } from '#src/models/speech/kokoro-alphabet.js';
import { type LoadedModel, loadModel } from '#src/models/load.js';
import type { SpeechModel } from '#src/models/model.js';
import { installWithParts } from '../helpers/listed-models.js';
import { sharedFiles } from '../helpers/shared.js';
import { npy } from '../helpers/npy.js';
import { samplesPerId, tinyKokoro } from '../helpers/tiny-voices.js';
import { speechContract } from './speech-contract.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'darkroom-kokoro-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** A voice whose style for n phonemes is n thousandths throughout, and `more`. */
function voice(more: number, rows = 510): Float32Array {
  return Float32Array.from({ length: rows * 256 }, (_, at) => Math.floor(at / 256) / 1000 + more);
}

async function archive(voices: Record<string, Float32Array>, compress = false): Promise<Uint8Array> {
  const zip = new ZipFile();
  for (const [name, data] of Object.entries(voices)) {
    zip.addBuffer(npy(data, [data.length / 256, 1, 256]), `${name}.npy`, { compress });
  }
  zip.end();
  return buffer(zip.outputStream);
}

async function load(voices: Uint8Array): Promise<LoadedModel> {
  const tiny = tinyKokoro(voices);
  await installWithParts(tiny, folder);
  return loadModel(tiny.entry, { folder, device: 'cpu', threads: 1 });
}

async function using(voices: Uint8Array, check: (model: SpeechModel) => Promise<void>): Promise<void> {
  const loaded = await load(voices);
  if (loaded.task !== 'speech') throw new Error('Expected a model that speaks');
  await check(loaded.model).finally(() => loaded.release());
}

speechContract('kokoro', async () => load(await archive({ bf_emma: voice(0.1), af_heart: voice(0) })));

describe('kokoro', () => {
  test('numbers its phonemes as its makers do', () => {
    const ids = Object.fromEntries(kokoroAlphabet);
    expect(ids).toMatchObject({ ';': 1, '…': 10, ' ': 16, '\u0303': 17, ʨ: 21, I: 25, Y: 41, f: 48, z: 68, æ: 72 });
    expect(ids).toMatchObject({ ç: 78, ə: 83, ɜ: 87, ɡ: 92, ʝ: 103, ø: 116, œ: 120, ɻ: 126, ʧ: 133, ʋ: 136, ɤ: 140 });
    expect(ids).toMatchObject({ ʔ: 148, ː: 158, ʰ: 162, ʲ: 164, '↓': 169, '↘': 173, ᵻ: 177 });
    expect(kokoroAlphabet.size).toBe(114);
  });

  test('puts a zero at both ends and takes the style for the number of phonemes between them', async () => {
    await using(await archive({ af_heart: voice(0) }), async ({ speak, sampleRate }) => {
      expect(sampleRate).toBe(24_000);
      const pcm = await speak('ab;');
      const said = Array.from({ length: 5 }, (_, at) => (pcm[at * samplesPerId] as number) - 3 / 1000);
      expect(pcm).toHaveLength(5 * samplesPerId);
      for (const [at, id] of [0, 43, 44, 1, 0].entries()) expect(said[at]).toBeCloseTo(id / 256, 5);
      const longest = await speak('a'.repeat(510));
      // A voice has 510 styles, from 0 to 509.
      expect(longest[0]).toBeCloseTo(0.509, 5);
    });
  });

  test('takes the voice that is named, the usual one otherwise, from an archive that is packed or not', async () => {
    for (const compress of [false, true]) {
      const voices = await archive({ bf_emma: voice(0.25), af_heart: voice(0) }, compress);
      await using(voices, async (model) => {
        expect(model.voices).toEqual(['af_heart', 'bf_emma']);
        expect((await model.speak('a'))[0]).toBeCloseTo(0.001, 5);
        expect((await model.speak('a', { voice: 'bf_emma' }))[0]).toBeCloseTo(0.251, 5);
      });
    }
  });

  test.each([
    ['no archive and no floats', Buffer.from('hello'), /voices can't be read/],
    ['half a voice', Buffer.from(voice(0, 1).buffer).subarray(0, 100), /256 values/],
    ['nothing', Buffer.alloc(0), /256 values/],
    ['an archive that is cut off', Buffer.from('PK\x03\x04'), /no list of files/],
  ])('refuses %s as its voices', async (_, bytes, message) => {
    await expect(load(bytes)).rejects.toMatchObject({
      code: 'model_unavailable',
      message: expect.stringMatching(message),
    });
  });
});

describe('the voices beside the repository', () => {
  const paths = sharedFiles('weights/voice', '.bin');
  if (paths.length === 0) test.skip('need ../shared/weights, which is not here', () => {});
  for (const path of paths)
    speechContract(`kokoro with ${path.split('/').at(-1)}`, async () => load(await readFile(path)));
});

test('kokoro reads the archive that NumPy writes', async () => {
  await using(await readFile(join(import.meta.dirname, '../fixtures/voices.npz')), async ({ voices, speak }) => {
    expect(voices).toEqual(['af_heart', 'bf_emma']);
    expect((await speak('a', { voice: 'bf_emma' }))[0]).toBeCloseTo(0.75, 5);
  });
});
