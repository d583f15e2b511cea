import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ModelEntry } from '#src/models/lockfile.js';
import { type Initializer, type NodeSpec, onnx } from './onnx.js';

/** A network of random weights with the signature of a family, and its lock entry. */
export interface TinyModel {
  entry: ModelEntry;
  bytes: Uint8Array;
}

/** Numbers in -1..1, the same for the same seed (mulberry32). */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 31 - 1;
  };
}

/**
 * An enlarging network of one 5×5 convolution (receptive field 2) over all channels, random but near to plain
 * enlargement, in our own signature (8 bit) or Real-ESRGAN's (float).
 */
export function tinyUpscaler(scale: number, family: 'upscaler' | 'srvgg' = 'upscaler', seed = 1): TinyModel {
  const [convolution, weights] = upscalingConvolution(scale, seed);
  const is8Bit = family === 'upscaler';
  const shape = (factor: string) =>
    is8Bit ? ['N', `${factor}H`, `${factor}W`, 3] : [1, 3, `${factor}H`, `${factor}W`];
  const input = { name: is8Bit ? 'image' : 'input', type: is8Bit ? 'uint8' : 'float32', shape: shape('') } as const;
  const output = { ...input, name: is8Bit ? 'upscaled' : 'output', shape: shape(`${scale}`) };
  const core = [convolution, node('DepthToSpace', ['wide'], 'large', { blocksize: scale, mode: 'CRD' })];
  const bytes = onnx({
    inputs: [input],
    outputs: [output],
    nodes: is8Bit
      ? [...fromBytes, ...core, ...toBytes]
      : [node('Identity', ['input'], 'planes'), ...core, node('Identity', ['large'], 'output')],
    initializers: [...weights, ...limits],
  });
  const constants = { scale, overlap: 2 };
  const id = `tiny-${family}-x${scale}`;
  return describe({ id, task: 'super-resolution', family, inputs: [input], outputs: [output], constants }, bytes);
}

/** A matting network: logistic function of a random 3×3 convolution, for pictures of any size. */
export function tinyCutout(seed = 2): TinyModel {
  const input = { name: 'image', type: 'uint8', shape: ['N', 'H', 'W', 3] } as const;
  const output = { name: 'alpha', type: 'float32', shape: ['N', 1, 'H', 'W'] } as const;
  const bytes = onnx({
    inputs: [{ ...input, shape: [...input.shape] }],
    outputs: [{ ...output, shape: [...output.shape] }],
    nodes: [...fromBytes, mattingConvolution, node('Sigmoid', ['logits'], 'alpha')],
    initializers: [...mattingWeights(seed), ...limits],
  });
  const constants = { size: 64, fit: 'aspect' };
  const tensors = {
    inputs: [{ ...input, shape: [...input.shape] }],
    outputs: [{ ...output, shape: [...output.shape] }],
  };
  return describe({ id: 'tiny-cutout', task: 'background-removal', family: 'cutout', ...tensors, constants }, bytes);
}

/** A network that changes a rough fill a little: one random 3×3 convolution over picture and mask. */
export function tinyInpainter(size = 64, seed = 4): TinyModel {
  const next = random(seed);
  const tensor = (name: string, channels: number) => ({
    name,
    type: 'float32' as const,
    shape: ['N', channels, 'H', 'W'],
  });
  const tensors = { inputs: [tensor('picture', 3), tensor('mask', 1)], outputs: [tensor('filled', 3)] };
  const bytes = onnx({
    ...tensors,
    nodes: [
      node('Concat', ['picture', 'mask'], 'both', { axis: 1 }),
      node('Conv', ['both', 'kernel'], 'correction', { pads: [1, 1, 1, 1] }),
      node('Add', ['picture', 'correction'], 'filled'),
    ],
    initializers: [
      { name: 'kernel', dims: [3, 4, 3, 3], data: Float32Array.from({ length: 108 }, () => next() * 0.005) },
    ],
  });
  return describe(
    { id: 'tiny-inpainter', task: 'inpainting', family: 'inpainter', ...tensors, constants: { size } },
    bytes,
  );
}

/** A network with the signature of U²-Net at 64×64: normalised float planes in, several maps out. */
export function tinySaliency(seed = 3): TinyModel {
  const input = { name: 'input.1', type: 'float32' as const, shape: [1, 3, 64, 64] };
  const outputs = ['1959', '1960'].map((name) => ({ name, type: 'float32' as const, shape: [1, 1, 64, 64] }));
  const bytes = onnx({
    inputs: [input],
    outputs,
    nodes: [
      node('Identity', ['input.1'], 'planes'),
      mattingConvolution,
      node('Sigmoid', ['logits'], '1959'),
      node('Neg', ['logits'], '1960'),
    ],
    initializers: mattingWeights(seed),
  });
  const constants = {
    width: 64,
    height: 64,
    mean: [0.485, 0.456, 0.406],
    std: [0.229, 0.224, 0.225],
    peak: 'picture',
    stretch: true,
  };
  const tensors = { inputs: [input], outputs: outputs.slice(0, 1) };
  return describe(
    { id: 'tiny-saliency', task: 'background-removal', family: 'saliency', ...tensors, constants },
    bytes,
  );
}

/** A network with the signature of BiRefNet at 64×64: normalised float planes in, logits out. */
export function tinyBirefnet(seed = 3): TinyModel {
  const input = { name: 'input_image', type: 'float32' as const, shape: [1, 3, 64, 64] };
  const output = { name: 'output_image', type: 'float32' as const, shape: [1, 1, 64, 64] };
  const bytes = onnx({
    inputs: [input],
    outputs: [output],
    nodes: [
      node('Identity', ['input_image'], 'planes'),
      mattingConvolution,
      node('Identity', ['logits'], 'output_image'),
    ],
    initializers: mattingWeights(seed),
  });
  const constants = { width: 64, height: 64, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
  const tensors = { inputs: [input], outputs: [output] };
  return describe(
    { id: 'tiny-birefnet', task: 'background-removal', family: 'birefnet', ...tensors, constants },
    bytes,
  );
}

/** A network with the signature of Depth Anything: float planes of any size in, one map without channels out. */
export function tinyDepth(seed = 4): TinyModel {
  const input = { name: 'pixel_values', type: 'float32' as const, shape: ['N', 3, 'H', 'W'] };
  const output = { name: 'predicted_depth', type: 'float32' as const, shape: ['N', 'H', 'W'] };
  const bytes = onnx({
    inputs: [input],
    outputs: [output],
    nodes: [
      node('Identity', ['pixel_values'], 'planes'),
      mattingConvolution,
      node('Squeeze', ['logits', 'channels'], 'predicted_depth'),
    ],
    initializers: [...mattingWeights(seed), { name: 'channels', dims: [1], data: BigInt64Array.of(1n) }],
  });
  const constants = { size: 56, multiple: 14, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
  const tensors = { inputs: [input], outputs: [output] };
  return describe(
    { id: 'tiny-depth', task: 'depth-estimation', family: 'depth-anything', ...tensors, constants },
    bytes,
  );
}

/** Puts the model where the engine looks for it: `<folder>/<id>/<name>`. */
export async function install({ entry, bytes }: TinyModel, folder: string): Promise<void> {
  await mkdir(join(folder, entry.id), { recursive: true });
  await writeFile(join(folder, entry.id, entry.files[0]?.name ?? ''), bytes);
}

const limits: Initializer[] = [
  { name: 'lowest', dims: [], data: Float32Array.of(0) },
  { name: 'highest', dims: [], data: Float32Array.of(255) },
];

const fromBytes: NodeSpec[] = [
  node('Cast', ['image'], 'samples', { to: 1 }),
  node('Transpose', ['samples'], 'scaled', { perm: [0, 3, 1, 2] }),
  node('Div', ['scaled', 'highest'], 'planes'),
];

const toBytes: NodeSpec[] = [
  node('Mul', ['large', 'highest'], 'levels'),
  node('Round', ['levels'], 'rounded'),
  node('Clip', ['rounded', 'lowest', 'highest'], 'clipped'),
  node('Transpose', ['clipped'], 'interleaved', { perm: [0, 2, 3, 1] }),
  node('Cast', ['interleaved'], 'upscaled', { to: 2 }),
];

const mattingConvolution = node('Conv', ['planes', 'kernel', 'bias'], 'logits', { pads: [1, 1, 1, 1] });

function mattingWeights(seed: number): Initializer[] {
  const next = random(seed);
  return [
    { name: 'kernel', dims: [1, 3, 3, 3], data: Float32Array.from({ length: 27 }, () => next()) },
    { name: 'bias', dims: [1], data: Float32Array.of(0.1) },
  ];
}

function upscalingConvolution(scale: number, seed: number): [NodeSpec, Initializer[]] {
  const next = random(seed);
  const data = new Float32Array(3 * scale * scale * 3 * 25);
  for (let at = 0; at < data.length; at++) {
    const [tap, source, target] = [at % 25, Math.floor(at / 25) % 3, Math.floor(at / (75 * scale * scale))];
    data[at] = next() * 0.02 + (tap === 12 && source === target ? 1 : 0);
  }
  const weights = { name: 'kernel', dims: [3 * scale * scale, 3, 5, 5], data };
  return [node('Conv', ['planes', 'kernel'], 'wide', { pads: [2, 2, 2, 2] }), [weights]];
}

/** A node with one output. */
export function node(op: string, inputs: string[], output: string, attributes: NodeSpec['attributes'] = {}): NodeSpec {
  return { op, inputs, outputs: [output], attributes };
}

/** A lock entry for these bytes, as one of the owner's own models. */
export function describe(
  facts: Pick<ModelEntry, 'id' | 'task' | 'family' | 'inputs' | 'outputs' | 'constants'>,
  bytes: Uint8Array,
): TinyModel {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const files = [{ name: `${facts.id}.onnx`, url: null, bytes: bytes.length, sha256 }];
  const entry = {
    ...facts,
    tier: 'own',
    files,
    licence: 'Apache-2.0',
    commercialUse: true,
    seen: 'made by a test',
  } as const;
  return { entry, bytes };
}
