import { z } from 'zod';
import { EngineError } from '../engine/errors.js';
import { type ModelEntry, readConstants } from './lockfile.js';
import type { ModelFamily } from './model.js';
import { unfit } from './files/parts.js';
import { samples } from './signature.js';
import { checkSpeech } from './speech/speech-request.js';

const constants = z.strictObject({
  /** Of the voice, in two letters. */
  language: z.string().length(2),
});

/** What a voice says of itself, in the file beside it; there is more in it that phonemes and tensors need not. */
const voiceConfig = z.object({
  audio: z.object({ sample_rate: z.int().positive() }),
  inference: z.object({ noise_scale: z.number(), length_scale: z.number().positive(), noise_w: z.number() }),
  phoneme_id_map: z.record(z.string(), z.array(z.int().nonnegative()).min(1)),
  num_speakers: z.int().positive().default(1),
  speaker_id_map: z.record(z.string(), z.int().nonnegative()).default({}),
});

type VoiceConfig = z.output<typeof voiceConfig>;

/** What stands between phonemes, at the beginning and at the end of a sentence. */
const [pad, begin, end] = ['_', '^', '$'];

// A sentence of this many phonemes takes two minutes to say; attention over more takes memory that grows with its square.
const longest = 1000;

/**
 * Piper's voices (VITS, arXiv 2106.06103): ids of phonemes [1, n], their number [1] and the scales of noise, length and
 * noise in length [3] in, with the number of a speaker [1] where there are several; PCM out, its loudest sample made 1.
 */
export const piper: ModelFamily = {
  name: 'piper',
  task: 'speech',
  constants,
  takes: [
    { types: ['int64'], shape: [null, null] },
    { types: ['int64'], shape: [null] },
    { types: ['float32'], shape: [3] },
    { types: ['int64'], shape: [null], isOptional: true },
  ],
  gives: [{ types: ['float32'], shape: null }],
  wrap(entry, session, parts) {
    readConstants(entry, constants);
    const config = readConfig(entry, parts.bytes('config'));
    const { noise_scale, length_scale, noise_w } = config.inference;
    const [input = '', length = '', scales = '', speaker] = entry.inputs.map(({ name }) => name ?? '');
    const output = entry.outputs[0]?.name ?? '';
    const speakers = speakersOf(config);
    const facts = { id: entry.id, voices: [...speakers.keys()] };
    return {
      ...facts,
      sampleRate: config.audio.sample_rate,
      longest,
      phonemes: new Set(Object.keys(config.phoneme_id_map)),
      async speak(phonemes, options = {}) {
        checkSpeech(facts, options);
        const ids = idsOf(phonemes, config);
        const { voice = facts.voices[0] ?? '', speed = 1 } = options;
        const number = BigInt64Array.of(BigInt(speakers.get(voice) ?? 0));
        const results = await session.run({
          [input]: { type: 'int64', data: ids, dims: [1, ids.length] },
          [length]: { type: 'int64', data: BigInt64Array.of(BigInt(ids.length)), dims: [1] },
          [scales]: { type: 'float32', data: Float32Array.of(noise_scale, length_scale / speed, noise_w), dims: [3] },
          ...(speaker === undefined ? {} : { [speaker]: { type: 'int64', data: number, dims: [1] } }),
        });
        return normalise(samples(entry, results[output], { type: Float32Array }));
      },
    };
  },
};

function readConfig(entry: ModelEntry, bytes: Uint8Array): VoiceConfig {
  let raw: unknown;
  try {
    raw = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (error) {
    throw unfit(entry, `the file of its part "config" is no JSON: ${(error as Error).message}`);
  }
  const { data, error } = voiceConfig.safeParse(raw);
  if (!data) {
    const reasons = error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
    throw unfit(entry, `the file of its part "config" is none of a voice: ${reasons.join('; ')}`);
  }
  const missing = [pad, begin, end].filter((sign) => !data.phoneme_id_map[sign as string]);
  if (missing.length > 0) throw unfit(entry, `its phonemes lack ${missing.join(' and ')}`);
  return data;
}

/** The number of every speaker by name; without names, by number. */
function speakersOf({ speaker_id_map, num_speakers }: VoiceConfig): Map<string, number> {
  const named = Object.entries(speaker_id_map);
  if (named.length > 0) return new Map(named.sort(([, one], [, other]) => one - other));
  return new Map(Array.from({ length: num_speakers }, (_, index): [string, number] => [String(index), index]));
}

/** As in training (piper-phonemize, phoneme_ids.cpp): a pad after the beginning and after each phoneme. */
function idsOf(phonemes: string, { phoneme_id_map: map }: VoiceConfig): BigInt64Array {
  const known = [...phonemes].filter((phoneme) => map[phoneme]);
  if (known.length === 0 || known.length > longest) {
    const message = `Expected 1 to ${longest} phonemes that the voice knows, got ${known.length}; speak sentence by sentence`;
    throw new EngineError('invalid_input', message, { param: 'input' });
  }
  const ids = [begin, pad, ...known.flatMap((phoneme) => [phoneme, pad]), end].flatMap(
    (sign) => map[sign as string] ?? [],
  );
  return BigInt64Array.from(ids, BigInt);
}

/** Its loudest sample made 1, as Piper does before it writes 16 bits; near silence stays near silence. */
function normalise(pcm: Float32Array): Float32Array {
  const loudest = pcm.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0.01);
  return pcm.map((sample) => sample / loudest);
}
