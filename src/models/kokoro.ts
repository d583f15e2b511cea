import { z } from 'zod';
import { EngineError } from '../engine/errors.js';
import { kokoroAlphabet } from './speech/kokoro-alphabet.js';
import { type ModelEntry, readConstants } from './lockfile.js';
import type { ModelFamily } from './model.js';
import { readNpz } from './files/npz.js';
import { unfit } from './files/parts.js';
import { samples } from './signature.js';
import { checkSpeech } from './speech/speech-request.js';

const constants = z.strictObject({
  /** Samples per second. */
  sampleRate: z.int().positive(),
  /** It was trained on 512 tokens, of which the first and the last say where it begins and ends. */
  maxPhonemes: z.int().positive(),
});

/** Values of one style. */
const styleSize = 256;

/** The voice that is taken where none is named, if the file has it: the one its makers give the best grade. */
const usualVoice = 'af_heart';

/**
 * Kokoro (82 million parameters, after StyleTTS 2): ids of phonemes [1, n] with a 0 at both ends, a style [1, 256] and a
 * speed [1] in, PCM out. A voice is a table of styles, one for each number of phonemes.
 */
export const kokoro: ModelFamily = {
  name: 'kokoro',
  task: 'speech',
  constants,
  takes: [
    { types: ['int64'], shape: [null, null] },
    { types: ['float32'], shape: [null, styleSize] },
    { types: ['float32'], shape: [1] },
  ],
  gives: [{ types: ['float32'], shape: null }],
  wrap(entry, session, parts) {
    const { sampleRate, maxPhonemes } = readConstants(entry, constants);
    const [tokens = '', style = '', rate = ''] = entry.inputs.map(({ name }) => name ?? '');
    const output = entry.outputs[0]?.name ?? '';
    const styles = readVoices(entry, parts.bytes('voices'));
    const voices = [...styles.keys()].sort((one) => (one === usualVoice ? -1 : 0));
    const facts = { id: entry.id, voices };
    return {
      ...facts,
      sampleRate,
      longest: maxPhonemes,
      phonemes: new Set(kokoroAlphabet.keys()),
      async speak(phonemes, options = {}) {
        checkSpeech(facts, options);
        const ids = [...phonemes].flatMap((phoneme) => kokoroAlphabet.get(phoneme) ?? []);
        checkLength(ids, maxPhonemes);
        const { voice = voices[0] ?? '', speed = 1 } = options;
        const results = await session.run({
          [tokens]: { type: 'int64', data: BigInt64Array.from([0, ...ids, 0], BigInt), dims: [1, ids.length + 2] },
          [style]: { type: 'float32', data: styleFor(styles.get(voice), ids.length), dims: [1, styleSize] },
          [rate]: { type: 'float32', data: Float32Array.of(speed), dims: [1] },
        });
        return samples(entry, results[output], { type: Float32Array });
      },
    };
  },
};

function checkLength({ length }: number[], most: number): void {
  if (length > 0 && length <= most) return;
  const message = `Expected 1 to ${most} phonemes that the voice knows, got ${length}; speak sentence by sentence`;
  throw new EngineError('invalid_input', message, { param: 'input' });
}

/** The styles of every voice of a file, one after the other: an archive of many voices, or the bare floats of one. */
function readVoices(entry: ModelEntry, bytes: Uint8Array): Map<string, Float32Array> {
  try {
    const isArchive = bytes[0] === 0x50 && bytes[1] === 0x4b;
    const voices = isArchive
      ? new Map([...readNpz(bytes)].map(([name, { data }]): [string, Float32Array] => [name, data]))
      : new Map([['voice', new Float32Array(Uint8Array.from(bytes).buffer)]]);
    const isWhole = ({ length }: Float32Array) => length > 0 && length % styleSize === 0;
    if (voices.size > 0 && [...voices.values()].every(isWhole)) return voices;
    throw new Error(`expected voices of ${styleSize} values for each number of phonemes`);
  } catch (error) {
    throw unfit(entry, `its file of voices can't be read: ${(error as Error).message}`);
  }
}

/** That of a voice for so many phonemes; its last one goes for more. */
function styleFor(styles: Float32Array | undefined, phonemes: number): Float32Array {
  if (!styles) return new Float32Array(styleSize);
  const row = Math.min(phonemes, styles.length / styleSize - 1);
  return styles.slice(row * styleSize, (row + 1) * styleSize);
}
