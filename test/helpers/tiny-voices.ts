import { listed, op } from './listed-models.js';
import type { NodeSpec } from './onnx.js';

type Voice = ReturnType<typeof listed>;

/** Samples of every id at a speed of 1. */
export const samplesPerId = 40;

/**
 * Kokoro's tensors: every id becomes samples of its value / 256, added to the mean of the style; fewer of them at a higher
 * speed. `voices` is the file of its styles.
 */
export function tinyKokoro(voices: Uint8Array): Voice {
  return listed(
    'kokoro',
    ({ inputs: [tokens, style, speed], output }) => ({
      nodes: [
        op('Div', ['samples', speed], 'stretch'),
        ...stretched(tokens),
        op('ReduceMean', [style], 'offset', { axes: [1] }),
        op('Add', ['said', 'offset'], 'heard'),
        op('Reshape', ['heard', 'flat'], output),
      ],
      initializers: [...constants],
    }),
    { voices },
  );
}

/** Piper's tensors: every id becomes samples of its value / 256, as many as the second scale says, louder by the first. */
export function tinyPiper(config: object): Voice {
  return listed(
    'piper-de-thorsten',
    ({ inputs: [ids, length, scales], output }) => ({
      nodes: [
        op('Gather', [scales, 'second'], 'factor'),
        op('Mul', ['samples', 'factor'], 'stretch'),
        ...stretched(ids),
        op('Gather', [scales, 'first'], 'loudness'),
        op('Mul', ['said', 'loudness'], 'loud'),
        op('Cast', [length], 'count', { to: 1 }),
        op('Div', ['count', 'count'], 'always'),
        op('Mul', ['loud', 'always'], 'heard'),
        op('Reshape', ['heard', 'flat'], output),
      ],
      initializers: [...constants],
    }),
    { config: Buffer.from(JSON.stringify(config)) },
  );
}

/** As the file beside a Piper voice. */
export const piperConfig = {
  audio: { sample_rate: 22050 },
  inference: { noise_scale: 0.667, length_scale: 1, noise_w: 0.8 },
  phoneme_id_map: { _: [0], '^': [1], $: [2], a: [30], b: [60, 61], c: [90] },
  num_speakers: 1,
  speaker_id_map: {},
};

/** Every id repeated `stretch` times, as a share of 256. */
function stretched(ids: string): NodeSpec[] {
  return [
    op('Cast', [ids], 'values', { to: 1 }),
    op('Div', ['values', 'most'], 'shares'),
    op('Unsqueeze', ['shares', 'zeroth'], 'channel'),
    op('Concat', ['ones', 'stretch'], 'scales.1', { axis: 0 }),
    op('Resize', ['channel', '', 'scales.1'], 'said', {
      mode: 'nearest',
      coordinate_transformation_mode: 'asymmetric',
      nearest_mode: 'floor',
    }),
  ];
}

const constants = [
  { name: 'samples', dims: [1], data: Float32Array.of(samplesPerId) },
  { name: 'most', dims: [], data: Float32Array.of(256) },
  { name: 'ones', dims: [2], data: Float32Array.of(1, 1) },
  { name: 'zeroth', dims: [1], data: BigInt64Array.of(0n) },
  { name: 'first', dims: [1], data: BigInt64Array.of(0n) },
  { name: 'second', dims: [1], data: BigInt64Array.of(1n) },
  { name: 'flat', dims: [1], data: BigInt64Array.of(-1n) },
];
