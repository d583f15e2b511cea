import { EngineError } from '../../engine/errors.js';
import type { ModelEntry, TensorSpec } from '../lockfile.js';
import { type DeclaredSignature, readNetwork } from './onnx-file.js';
import type { DeclaredTensor } from './onnx-tensor.js';

/** What a network must take and give; left out where its entry says nothing of it. */
export interface Signature {
  inputs?: readonly TensorSpec[] | undefined;
  outputs?: readonly TensorSpec[] | undefined;
}

/**
 * Refuses a network before a session is made from it: one that is not whole, reaches outside of its file, or has other
 * tensors than its entry says. Returns what it declares. Errors: `model_unavailable`.
 */
export function checkNetwork(bytes: Uint8Array, { id }: { id: string }, expected: Signature): DeclaredSignature {
  const declared = readNetwork(bytes, id);
  const { inputs, outputs = [] } = expected;
  const problem =
    (inputs && mismatch('input', inputs, declared.inputs)) ?? mismatch('output', outputs, declared.outputs);
  if (problem === null) return declared;
  throw new EngineError(
    'model_unavailable',
    `Model "${id}" is refused: ${problem}; it is another export than its entry is for (npx darkroom models info ${id})`,
  );
}

/** The entry with the names that the network gives to tensors which the entry knows by their position only. */
export function withNames(entry: ModelEntry, { inputs, outputs }: DeclaredSignature): ModelEntry {
  return { ...entry, inputs: named(entry.inputs, inputs), outputs: named(entry.outputs, outputs) };
}

function named(specs: readonly TensorSpec[], declared: readonly DeclaredTensor[]): TensorSpec[] {
  return specs.map((spec, index) => ({ ...spec, name: spec.name ?? declared[index]?.name ?? null }));
}

/** Why the network's tensors are not those of the entry; outputs that the entry does not name are nobody's business. */
function mismatch(
  kind: 'input' | 'output',
  expected: readonly TensorSpec[],
  declared: readonly DeclaredTensor[],
): string | null {
  for (const [index, spec] of expected.entries()) {
    const tensor = declared.find(({ name }, at) => (spec.name === null ? at === index : name === spec.name));
    const name = spec.name ?? `number ${index + 1}`;
    if (!tensor) return `expected an ${kind} "${name}", found ${declared.map((one) => `"${one.name}"`).join(', ')}`;
    if (tensor.type === spec.type && fits(spec.shape, tensor.shape)) continue;
    return `expected ${kind} "${name}" as ${describe(spec)}, found ${describe(tensor)}`;
  }
  if (kind === 'output' || declared.length === expected.length) return null;
  return `expected ${expected.length} inputs, found ${declared.length}`;
}

/** A side that the entry fixes may be free in the network, but not another number. */
function fits(expected: TensorSpec['shape'], declared: DeclaredTensor['shape']): boolean {
  if (expected === null || declared === null) return true;
  if (declared.length !== expected.length) return false;
  return expected.every((side, axis) => {
    const found = declared[axis];
    return typeof side === 'string' || typeof found === 'string' || found === side;
  });
}

function describe({ type, shape }: { type: string; shape: readonly (number | string)[] | null }): string {
  return shape === null ? `${type} of any shape` : `${type} [${shape.join(', ')}]`;
}
