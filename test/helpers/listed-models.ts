import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { type ModelEntry, readLockfile, type TensorSpec } from '#src/models/lockfile.js';
import { lockfilePath } from '#src/models/files/weights.js';
import { type Initializer, type NodeSpec, onnx, type TensorInfo } from './onnx.js';
import { random, type TinyModel } from './tiny-models.js';

/**
 * Small networks with the tensors of models that the lock file lists, under their own entries: what a family does for one
 * of them, it does with the constants that users get.
 */

/**
 * LaMa: what is to be filled becomes the mean of what is known, with a little of a random convolution. Whoever leaves the
 * picture in the hole, or takes the mask or the range otherwise, gets another colour.
 */
export function tinyLama(id: 'lama' | 'lama-opencv' = 'lama'): TinyModel {
  return listed(id, ({ inputs: [image, mask], output }) => ({
    nodes: [op('Sub', ['one', mask], 'known'), ...fillByMean(image), op('Mul', ['filled', 'white'], output)],
    initializers: [...numbers, weights('kernel', [3, 3, 3, 3], 0.005)],
  }));
}

/** MI-GAN's pipeline: as `tinyLama`, but in 8 bits, with a mask of what to keep, and composed. */
export function tinyMigan(): TinyModel {
  return listed('migan', ({ inputs: [image, mask], output }) => ({
    nodes: [
      op('Cast', [image], 'levels', { to: 1 }),
      op('Div', ['levels', 'white'], 'given'),
      op('Cast', [mask], 'marks', { to: 1 }),
      op('Div', ['marks', 'white'], 'known'),
      op('Cast', ['known'], 'isKnown', { to: 9 }),
      ...fillByMean('given'),
      op('Where', ['isKnown', 'given', 'filled'], 'composed'),
      op('Mul', ['composed', 'white'], 'large'),
      op('Clip', ['large', 'zero', 'white'], 'clipped'),
      op('Cast', ['clipped'], output, { to: 2 }),
    ],
    initializers: [...numbers, weights('kernel', [3, 3, 3, 3], 0.005)],
  }));
}

/** A net that enlarges, near to plain enlargement, and fails for sides that are no multiples of what its entry says. */
export function tinyEnlarger(id: string): TinyModel {
  const { scale, multiple } = z.object({ scale: z.int(), multiple: z.int() }).parse(entryOf(id).constants);
  return listed(id, ({ inputs: [image], output }) => ({
    nodes: [
      ...refuseOthers(image, multiple),
      op('Conv', ['allowed', 'kernel'], 'wide', { pads: [1, 1, 1, 1] }),
      op('DepthToSpace', ['wide'], output, { blocksize: scale, mode: 'CRD' }),
    ],
    initializers: [passing('kernel', [3 * scale ** 2, 3, 3, 3], (tap) => (tap === 4 ? 1 : 0))],
  }));
}

/** A net that takes noise out by averaging neighbours, or blur by setting them off, and fails for other sides as above. */
export function tinyRestorer(id: string): TinyModel {
  const { mends, multiple } = z.object({ mends: z.string().array(), multiple: z.int() }).parse(entryOf(id).constants);
  const taps = mends.includes('noise') ? averaging : sharpening;
  return listed(id, ({ inputs: [image], output }) => ({
    nodes: [
      ...refuseOthers(image, multiple),
      op('Pad', ['allowed', 'border'], 'framed', { mode: 'edge' }),
      op('Conv', ['framed', 'kernel'], output),
    ],
    initializers: [
      passing('kernel', [3, 3, 3, 3], (tap) => taps[tap] ?? 0),
      { name: 'border', dims: [8], data: BigInt64Array.of(0n, 0n, 1n, 1n, 0n, 0n, 1n, 1n) },
    ],
  }));
}

/** MODNet: the logistic function of a convolution, which fails for sides that are no multiples of 32. */
export function tinyModnet(id: 'modnet' | 'modnet-uint8' = 'modnet'): TinyModel {
  return listed(id, ({ inputs: [image], output }) => ({
    nodes: [
      ...refuseOthers(image, 32),
      op('Conv', ['allowed', 'kernel'], 'logits', { pads: [1, 1, 1, 1] }),
      op('Sigmoid', ['logits'], output),
    ],
    initializers: [weights('kernel', [1, 3, 3, 3], 1)],
  }));
}

const averaging = Array.from({ length: 9 }, () => 1 / 9);
const sharpening = [0, -0.25, 0, -0.25, 2, -0.25, 0, -0.25, 0];

/** Folds and unfolds the picture, which changes nothing, and can't be done with other sides. */
function refuseOthers(image: string, multiple: number): NodeSpec[] {
  return [
    op('SpaceToDepth', [image], 'folded', { blocksize: multiple }),
    op('DepthToSpace', ['folded'], 'allowed', { blocksize: multiple }),
  ];
}

/** A random kernel of 3×3 whose outputs, three and three, are those of the inputs through these taps. */
function passing(name: string, dims: [number, number, 3, 3], tapOf: (tap: number) => number): Initializer {
  const kernel = weights(name, dims, 0.002);
  const outputs = dims[0] / 3;
  const data = (kernel.data as Float32Array).map((small, at) => {
    const [tap, source, target] = [at % 9, Math.floor(at / 9) % 3, Math.floor(at / 27 / outputs)];
    return small + (source === target ? tapOf(tap) : 0);
  });
  return { ...kernel, data };
}

function fillByMean(image: string): NodeSpec[] {
  return [
    op('ReduceMean', [image], 'sum', { axes: [2, 3] }),
    op('ReduceMean', ['known'], 'share', { axes: [2, 3] }),
    op('Max', ['share', 'little'], 'divisor'),
    op('Div', ['sum', 'divisor'], 'mean'),
    op('Conv', [image, 'kernel'], 'grain', { pads: [1, 1, 1, 1] }),
    op('Add', ['mean', 'grain'], 'filled'),
  ];
}

const numbers: Initializer[] = Object.entries({ zero: 0, one: 1, white: 255, little: 1e-6 }).map(([name, value]) => ({
  name,
  dims: [],
  data: Float32Array.of(value),
}));

function weights(name: string, dims: number[], size: number): Initializer {
  const next = random(dims.length);
  const length = dims.reduce((product, side) => product * side, 1);
  return { name, dims, data: Float32Array.from({ length }, () => next() * size) };
}

export function op(name: string, inputs: string[], output: string, attributes: NodeSpec['attributes'] = {}): NodeSpec {
  return { op: name, inputs, outputs: [output], attributes };
}

interface Names {
  /** Of the inputs, in their order. */
  inputs: [first: string, second: string, third: string];
  /** Of the first output. */
  output: string;
}

interface Graph {
  nodes: NodeSpec[];
  initializers: Initializer[];
}

/** The entry of the program's list, with the digests of this network, which has the entry's tensors, and of these parts. */
export function listed(
  id: string,
  graph: (names: Names) => Graph,
  parts: Record<string, Uint8Array> = {},
): TinyModel & { parts: Record<string, Uint8Array> } {
  const entry = entryOf(id);
  const [inputs, outputs] = [entry.inputs.map(declared('input')), entry.outputs.map(declared('output'))];
  const [first = '', second = '', third = ''] = inputs.map(({ name }) => name);
  const bytes = onnx({ ...graph({ inputs: [first, second, third], output: outputs[0]?.name ?? '' }), inputs, outputs });
  const files = entry.files.map(({ md5: _, ...file }) => {
    const content = file.part === undefined ? bytes : parts[file.part];
    if (!content) throw new Error(`Model "${id}" needs a part "${file.part}"`);
    return { ...file, bytes: content.length, sha256: createHash('sha256').update(content).digest('hex') };
  });
  return { bytes, parts, entry: { ...entry, files } };
}

/** Puts a model and its parts where the engine looks for them. */
export async function installWithParts(
  { entry, bytes, parts }: ReturnType<typeof listed>,
  folder: string,
): Promise<void> {
  await mkdir(join(folder, entry.id), { recursive: true });
  for (const { name, part } of entry.files) {
    await writeFile(join(folder, entry.id, name), part === undefined ? bytes : (parts[part] ?? bytes));
  }
}

/** An entry of the program's list. */
export function entryOf(id: string): ModelEntry {
  const entry = readLockfile(lockfilePath).models.find((each) => each.id === id);
  if (!entry) throw new Error(`There is no model "${id}"`);
  return entry;
}

/** As an export declares a tensor of which the entry may not know the name. */
export function declared(kind: string): (spec: TensorSpec, index: number) => TensorInfo {
  return ({ name, type, shape }, index) => ({ name: name ?? `${kind}.${index}`, type, shape: shape ?? ['n'] });
}
