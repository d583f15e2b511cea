import { z } from 'zod';
import { EngineError } from '../engine/errors.js';
import type { Pixels, Size } from '../engine/media/media.js';
import { clipTokenizer, type Tokenizer } from './generation/clip-tokenizer.js';
import type { ExpectedTensor } from './family-tensors.js';
import { fromHalf, toHalf } from './files/half.js';
import { type ModelEntry, readConstants } from './lockfile.js';
import type { GenerationModel, GenerationOptions, ModelFamily, ModelParts } from './model.js';
import { gaussianNoise, type NoiseLevel, noiseLevel } from './generation/noise-schedule.js';
import { unfit } from './files/parts.js';
import { createRandom } from './filling/patch-match.js';
import type { ModelSession, TensorData } from './session.js';
import { samples } from './signature.js';
import { fromPlanes, levels, toPlanes } from './tensor.js';

const constants = z.strictObject({
  /** Both sides of the pictures it was trained on. */
  size: z.int().multipleOf(64).positive(),
  /** Of the latents that noise is added to over those that stand for a picture. */
  vaeScale: z.number().positive(),
  /** Of a text, its start and end included. */
  maxTokens: z.int().min(3),
  /** The token after the end of a text. */
  padding: z.string(),
});

type Constants = z.output<typeof constants>;

// Latents are an eighth of a picture, and the network halves those three times.
const [shrink, multiple] = [8, 64];
const latentChannels = 4;

const latentTensor: ExpectedTensor = { types: ['float16', 'float32'], shape: [null, latentChannels, null, null] };

/** Samples of a picture as -1..1. */
const signedLevels = levels([0.5, 0.5, 0.5], [0.5, 0.5, 0.5]);

/**
 * SD-Turbo (arXiv 2311.17042): a picture of words in one step from noise. Latents [1, 4, h, w], the step [1] and the words
 * as vectors [1, 77, n] in, the noise in the latents out, and three more networks: of words, to and from latents.
 */
export const sdTurbo: ModelFamily = {
  name: 'sd-turbo',
  task: 'image-generation',
  constants,
  takes: [latentTensor, { types: ['int64'], shape: null }, { types: latentTensor.types, shape: [null, null, null] }],
  gives: [latentTensor],
  wrap(entry, session, parts) {
    const facts = readConstants(entry, constants);
    const tokenize = tokenizerOf(entry, parts, facts);
    const networks = networksOf(entry, session, parts);
    return {
      id: entry.id,
      size: facts.size,
      multiple,
      async generate(prompt, options) {
        const { checkpoint = () => {} } = options;
        const size = sizeOf(options, facts);
        checkpoint(0);
        const ids = Int32Array.from(tokenize(prompt));
        const words = await networks.words([{ type: 'int32', data: ids, dims: [1, ids.length] }]);
        checkpoint(0.1);
        const start = await beginAt(size, options, { networks, facts });
        checkpoint(0.2);
        const latents = await takeNoiseOut(start, words, networks);
        checkpoint(0.8);
        return toPicture(latents, size, { networks, facts });
      },
    } satisfies GenerationModel;
  },
};

/** A network as a function of its inputs in their order; gives its first output as 32-bit floats. */
type Network = (inputs: TensorData[]) => Promise<FloatTensor>;

interface FloatTensor extends TensorData {
  type: 'float32';
  data: Float32Array;
}

interface Networks {
  words: Network;
  noise: Network;
  encoder: Network;
  decoder: Network;
}

function networksOf(entry: ModelEntry, session: ModelSession, parts: ModelParts): Networks {
  const isHalf = entry.inputs[0]?.type === 'float16';
  const open = (part: string) => network(entry, parts.session(part), isHalf);
  return {
    words: open('text-encoder'),
    noise: network(entry, session, isHalf),
    encoder: open('vae-encoder'),
    decoder: open('vae-decoder'),
  };
}

function network(entry: ModelEntry, session: ModelSession, isHalf: boolean): Network {
  const [output = ''] = session.outputNames;
  return async (inputs) => {
    const feeds = session.inputNames.map((name, index): [string, TensorData] => {
      const input = inputs[index];
      if (!input) throw unfit(entry, `a network of it has an input "${name}" that its family does not know`);
      return [name, isHalf && input.data instanceof Float32Array ? halved(input, input.data) : input];
    });
    const result = (await session.run(Object.fromEntries(feeds)))[output];
    const plain = result?.type === 'float16' ? doubled(result) : result;
    return { type: 'float32', data: samples(entry, plain, { type: Float32Array }), dims: plain?.dims ?? [] };
  };
}

function halved({ dims }: TensorData, data: Float32Array): TensorData {
  return { type: 'float16', data: toHalf(data), dims };
}

function doubled({ data: { buffer, byteOffset, length }, dims }: TensorData): TensorData {
  // The runtime has a type of its own for halves where the language has one: the bits are the same.
  return { type: 'float32', data: fromHalf(new Uint16Array(buffer, byteOffset, length)), dims };
}

function tokenizerOf(entry: ModelEntry, parts: ModelParts, { maxTokens, padding }: Constants): Tokenizer {
  const text = (part: string) => Buffer.from(parts.bytes(part)).toString('utf8');
  try {
    const files = { vocabulary: text('vocabulary'), merges: text('merges') };
    return clipTokenizer(files, { length: maxTokens, padding });
  } catch (error) {
    if (error instanceof EngineError) throw error;
    throw unfit(entry, `its vocabulary can't be used: ${(error as Error).message}`);
  }
}

function sizeOf({ from, size }: GenerationOptions, facts: Constants): Size {
  const { width, height } = from?.picture ?? size ?? { width: facts.size, height: facts.size };
  if (width % multiple === 0 && height % multiple === 0 && width * height > 0) return { width, height };
  const message = `Expected a picture whose sides are multiples of ${multiple}, got ${width} × ${height}`;
  throw new EngineError('invalid_input', message, { param: 'size' });
}

interface Means {
  networks: Networks;
  facts: Constants;
}

/** Latents with so much noise in them. */
interface Noisy extends NoiseLevel {
  latents: Float32Array;
  dims: readonly number[];
}

/** Noise, with what is to be kept of a picture under it. */
async function beginAt(size: Size, { from, seed }: GenerationOptions, { networks, facts }: Means): Promise<Noisy> {
  const dims = [1, latentChannels, size.height / shrink, size.width / shrink];
  const level = noiseLevel(from?.strength ?? 1);
  const latents = gaussianNoise((latentChannels * size.width * size.height) / shrink ** 2, createRandom(seed));
  const under = from ? await encode(from.picture, networks) : null;
  if (under && under.length !== latents.length) throw new EngineError('internal', 'The latents are of another size');
  for (let at = 0; at < latents.length; at++) {
    latents[at] = level.sigma * (latents[at] as number) + facts.vaeScale * (under?.[at] ?? 0);
  }
  return { ...level, latents, dims };
}

async function encode(picture: Pixels, { encoder }: Networks): Promise<Float32Array> {
  const { width, height } = picture;
  const planes = toPlanes(picture, signedLevels);
  return (await encoder([{ type: 'float32', data: planes, dims: [1, 3, height, width] }])).data;
}

/** One step of Euler's method to where there is no noise. */
async function takeNoiseOut(
  { latents, dims, sigma, timestep }: Noisy,
  words: TensorData,
  networks: Networks,
): Promise<TensorData> {
  // The network was trained on latents whose variance, picture and noise together, is 1.
  const seen = latents.map((value) => value / Math.sqrt(sigma * sigma + 1));
  const step: TensorData = { type: 'int64', data: BigInt64Array.of(BigInt(timestep)), dims: [1] };
  const noise = await networks.noise([{ type: 'float32', data: seen, dims }, step, words]);
  if (noise.data.length !== latents.length) throw new EngineError('internal', 'The noise found is of another size');
  return { type: 'float32', data: latents.map((value, at) => value - sigma * (noise.data[at] as number)), dims };
}

async function toPicture({ data, dims }: TensorData, size: Size, { networks, facts }: Means): Promise<Pixels> {
  const latents = Float32Array.from(data as Float32Array, (value) => value / facts.vaeScale);
  const planes = await networks.decoder([{ type: 'float32', data: latents, dims }]);
  if (planes.data.length !== 3 * size.width * size.height) {
    throw new EngineError('internal', `The picture made is not ${size.width} × ${size.height}`);
  }
  return fromPlanes(
    planes.data.map((level) => level / 2 + 0.5),
    size,
  );
}
