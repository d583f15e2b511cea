import type { TensorSpec } from '#src/models/lockfile.js';
import type { Point } from '#src/models/model.js';
import { type Initializer, type NodeSpec, onnx } from './onnx.js';
import { describe, node, random, type TinyModel } from './tiny-models.js';

/** What the tiny detector takes for a face: a cell of 32 × 32 pixels of this colour, on the grid of such cells. */
export const markColour = [0, 255, 0] as const;

/** Where the tiny detector says that the landmarks of a face are, in pixels from the corner of its cell. */
export const markLandmarks: readonly Point[] = [
  { x: -20, y: -8 },
  { x: 52, y: -8 },
  { x: 16, y: 26 },
  { x: -12, y: 56 },
  { x: 44, y: 56 },
];

/** Of the box that the tiny detector gives a face: its middle from the corner of the cell, and its side. */
export const markBox = { x: 16, y: 28, side: 32 * Math.exp(1.6) };

const strides = [8, 16, 32];

/**
 * A network with the signature of YuNet. Its two finer maps are random and never sure of anything; in the coarsest, green
 * cells are faces.
 */
export function tinyFaceDetector({ sides = ['H', 'W'] as (number | string)[], seed = 6 } = {}): TinyModel {
  const inputs: TensorSpec[] = [{ name: 'input', type: 'float32', shape: [1, 3, ...sides] }];
  const outputs = (['cls', 'obj', 'bbox', 'kps'] as const).flatMap((part) =>
    strides.map(
      (stride): TensorSpec => ({ name: `${part}_${stride}`, type: 'float32', shape: [1, 'n', widths[part]] }),
    ),
  );
  const heads = strides.map((stride) => head(stride, seed));
  const bytes = onnx({
    inputs: [{ name: 'input', type: 'float32', shape: [1, 3, ...sides] }],
    outputs: outputs.map(({ name, shape }) => ({ name: name ?? '', type: 'float32' as const, shape: shape ?? [] })),
    nodes: heads.flatMap(({ nodes }) => nodes),
    initializers: [
      ...heads.flatMap(({ initializers }) => initializers),
      { name: 'rows', dims: [3], data: BigInt64Array.of(1n, -1n, 16n) },
      { name: 'parts', dims: [4], data: BigInt64Array.of(1n, 1n, 4n, 10n) },
    ],
  });
  const facts = { id: 'tiny-yunet', task: 'face-detection', family: 'yunet', constants: { multiple: 32 } } as const;
  return describe({ ...facts, inputs, outputs }, bytes);
}

const widths = { cls: 1, obj: 1, bbox: 4, kps: 10 };

/** One convolution whose kernel is as large as its stride: 16 values per cell, cut into the four outputs. */
function head(stride: number, seed: number): { nodes: NodeSpec[]; initializers: Initializer[] } {
  const name = (part: string) => `${part}_${stride}`;
  const nodes = [
    node('Conv', ['input', name('kernel'), name('bias')], name('maps'), { strides: [stride, stride] }),
    node('Transpose', [name('maps')], name('last'), { perm: [0, 2, 3, 1] }),
    node('Reshape', [name('last'), 'rows'], name('cells')),
    {
      op: 'Split',
      inputs: [name('cells'), 'parts'],
      outputs: ['cls', 'obj', 'bbox', 'kps'].map(name),
      attributes: { axis: 2 },
    },
  ];
  const weights = stride === 32 ? markWeights() : randomWeights(stride, seed);
  return {
    nodes,
    initializers: [
      { name: name('kernel'), dims: [16, 3, stride, stride], data: weights.kernel },
      { name: name('bias'), dims: [16], data: weights.bias },
    ],
  };
}

interface Weights {
  kernel: Float32Array;
  bias: Float32Array;
}

function randomWeights(stride: number, seed: number): Weights {
  const next = random(seed);
  const kernel = Float32Array.from({ length: 16 * 3 * stride * stride }, () => next() * 1e-4);
  return { kernel, bias: Float32Array.from({ length: 16 }, (_, index) => (index < 2 ? -1 : next())) };
}

/** Sure of a face where the mean of a cell is green, and neither blue nor red. */
function markWeights(): Weights {
  const area = 32 * 32;
  const kernel = new Float32Array(16 * 3 * area);
  const share = 1 / (255 * area);
  // BGR: as much as is green less what is blue or red.
  for (let output = 0; output < 2; output++) {
    for (const [channel, sign] of [-1, 1, -1].entries()) {
      kernel.fill(sign * share, (output * 3 + channel) * area, (output * 3 + channel + 1) * area);
    }
  }
  const landmarks = markLandmarks.flatMap(({ x, y }) => [x / 32, y / 32]);
  return { kernel, bias: Float32Array.of(0, 0, markBox.x / 32, markBox.y / 32, 1.6, 1.6, ...landmarks) };
}

/** A network with the signature of a face restorer at this size that multiplies every sample, as -1..1, by `gain`. */
export function tinyFaceRestorer({ gain = 1, size = 128 } = {}): TinyModel {
  const inputs = [{ name: 'input', type: 'float32' as const, shape: [1, 3, size, size] }];
  const outputs = [{ name: '2359', type: 'float32' as const, shape: [1, 3, size, size] }];
  const bytes = onnx({
    inputs,
    outputs,
    nodes: [node('Mul', ['input', 'gain'], '2359')],
    initializers: [{ name: 'gain', dims: [], data: Float32Array.of(gain) }],
  });
  const facts = { id: `tiny-face-${gain}`, task: 'face-restoration', family: 'aligned-face' } as const;
  return describe({ ...facts, inputs, outputs, constants: { size } }, bytes);
}

/** A network with the signature of DDColor at this size: a and b grow with the grey, from `a` and `b` at black. */
export function tinyColouriser({ a = 0, b = 0, slope = 0, size = 64 } = {}): TinyModel {
  const inputs = [{ name: 'input', type: 'float32' as const, shape: [1, 3, size, size] }];
  const outputs = [{ name: 'output', type: 'float32' as const, shape: [1, 2, size, size] }];
  const bytes = onnx({
    inputs,
    outputs,
    nodes: [node('Conv', ['input', 'kernel', 'bias'], 'output')],
    initializers: [
      { name: 'kernel', dims: [2, 3, 1, 1], data: new Float32Array(6).fill(slope / 3) },
      { name: 'bias', dims: [2], data: Float32Array.of(a, b) },
    ],
  });
  const id = `tiny-ddcolor-${a}-${b}${slope === 0 ? '' : `-${slope}`}`;
  const facts = { id, task: 'colorization', family: 'ddcolor', constants: { size } } as const;
  return describe({ ...facts, inputs, outputs: [{ name: 'output', type: 'float32', shape: null }] }, bytes);
}
