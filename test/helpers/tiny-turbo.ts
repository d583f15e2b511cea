import { declared, entryOf, listed, op } from './listed-models.js';
import { type Initializer, type NodeSpec, onnx } from './onnx.js';

/** The standard deviation of the noise that a picture begins with. */
export const fullSigma = 14.6146;

/** CLIP's vocabulary as far as single bytes go, with its numbers for them, and one word that is joined of two pairs. */
export function tinyVocabulary(): { vocabulary: string; merges: string } {
  const seen = [...range(33, 126), ...range(161, 172), ...range(174, 255)].map((byte) => String.fromCharCode(byte));
  const bytes = [...seen, ...range(256, 256 + 255 - seen.length).map((code) => String.fromCharCode(code))];
  const words = [...bytes, ...bytes.map((sign) => `${sign}</w>`), 'ca', 'cat</w>', '<|startoftext|>', '<|endoftext|>'];
  return {
    vocabulary: JSON.stringify(Object.fromEntries(words.map((word, id) => [word, id]))),
    merges: '#version: 0.2\nc a\nca t</w>\n',
  };
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

/**
 * SD-Turbo's four networks. The one of noise finds `kept` times the latents that it sees, and `told` times the mean of the
 * words (every token is its id / 64) times the step / 999; the others scale by 8, three channels as they are.
 */
export function tinyTurbo({ kept, told }: { kept: number; told: number }): ReturnType<typeof listed> {
  const vocabulary = tinyVocabulary();
  const noise = [
    op('Mul', ['latents', 'kept'], 'seen'),
    op('ReduceMean', ['words'], 'mean', { axes: [0, 1, 2] }),
    op('Mul', ['mean', 'told'], 'said'),
    op('Div', ['step', 'last'], 'progress'),
    op('Mul', ['said', 'progress'], 'added'),
    op('Add', ['seen', 'added'], 'found'),
  ];
  return listed(
    'sd-turbo',
    ({ inputs: [latents, step, words], output }) => ({
      nodes: [
        op('Cast', [latents], 'latents', { to: 1 }),
        op('Cast', [step], 'step', { to: 1 }),
        op('Cast', [words], 'words', { to: 1 }),
        ...noise,
        op('Cast', ['found'], output, { to: 10 }),
      ],
      initializers: Object.entries({ kept, told, last: 999 }).map(([name, value]) => number(name, value)),
    }),
    {
      'text-encoder': part(
        'text-encoder',
        [op('Unsqueeze', ['in', 'last'], 'column'), op('Mul', ['column', 'scale'], 'out')],
        [
          { name: 'last', dims: [1], data: BigInt64Array.of(2n) },
          { name: 'scale', dims: [1, 1, 1024], data: new Float32Array(1024).fill(1 / 64) },
        ],
      ),
      'vae-decoder': part(
        'vae-decoder',
        [op('Conv', ['in', 'pick'], 'small'), op('Resize', ['small', '', 'eight'], 'out', { mode: 'nearest' })],
        [pick(3, 4), { name: 'eight', dims: [4], data: Float32Array.of(1, 1, 8, 8) }],
      ),
      'vae-encoder': part(
        'vae-encoder',
        [
          op('AveragePool', ['in'], 'small', { kernel_shape: [8, 8], strides: [8, 8] }),
          op('Conv', ['small', 'pick'], 'out'),
        ],
        [pick(4, 3)],
      ),
      vocabulary: Buffer.from(vocabulary.vocabulary),
      merges: Buffer.from(vocabulary.merges),
    },
  );
}

/** A network between a tensor `in` and one `out` of 32-bit floats, with the tensors that the entry has for this part. */
function part(name: string, nodes: NodeSpec[], initializers: Initializer[]): Uint8Array {
  const file = entryOf('sd-turbo').files.find((each) => each.part === name);
  const [inputs, outputs] = [
    (file?.inputs ?? []).map(declared('input')),
    (file?.outputs ?? []).map(declared('output')),
  ];
  const [first, last] = [inputs[0]?.name ?? '', outputs[0]?.name ?? ''];
  return onnx({
    inputs,
    outputs,
    nodes: [op('Cast', [first], 'in', { to: 1 }), ...nodes, op('Cast', ['out'], last, { to: 10 })],
    initializers,
  });
}

function number(name: string, value: number): Initializer {
  return { name, dims: [], data: Float32Array.of(value) };
}

/** A convolution of 1×1 that takes channels as they are; what there is no channel for is 0. */
function pick(outputs: number, inputs: number): Initializer {
  const data = Float32Array.from({ length: outputs * inputs }, (_, at) =>
    Math.floor(at / inputs) === at % inputs ? 1 : 0,
  );
  return { name: 'pick', dims: [outputs, inputs, 1, 1], data };
}
