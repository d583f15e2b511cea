import type { TensorSpec } from './lockfile.js';

/** What a tensor of a family's networks must be. */
export interface ExpectedTensor {
  types: readonly TensorSpec['type'][];
  /** Null for a side of any length; no shape: any. */
  shape: readonly (number | null)[] | null;
  /** Whether a network may do without it; only the last ones may. */
  isOptional?: boolean;
}

/** What every network of a family takes and gives, in this order; it may give more. */
export interface FamilyTensors {
  takes: readonly ExpectedTensor[];
  gives: readonly ExpectedTensor[];
}

/** Float planes of a picture of any size. */
export function planes(channels: number): ExpectedTensor {
  return { types: ['float32'], shape: [null, channels, null, null] };
}

/** 8-bit RGB, interleaved, of any size. */
export const interleaved: ExpectedTensor = { types: ['uint8'], shape: [null, null, null, 3] };

/** A tensor as an entry or a network declares it. */
interface FoundTensor {
  type: string;
  shape: readonly (number | string)[] | null;
}

/** Why a network with these tensors can't be one of the family, whatever they are called; null if it can. */
export function tensorsProblem(
  { takes, gives }: FamilyTensors,
  { inputs, outputs }: { inputs: readonly FoundTensor[]; outputs: readonly FoundTensor[] },
): string | null {
  if (inputs.length > takes.length) return `expected ${takes.length} inputs at most, found ${inputs.length}`;
  return mismatch('input', takes, inputs) ?? mismatch('output', gives, outputs);
}

function mismatch(
  kind: 'input' | 'output',
  expected: readonly ExpectedTensor[],
  found: readonly FoundTensor[],
): string | null {
  for (const [index, tensor] of expected.entries()) {
    const given = found[index];
    if (given ? fits(tensor, given) : tensor.isOptional) continue;
    return `expected ${kind} ${index + 1} to be ${describe(tensor)}, found ${given ? describeFound(given) : 'none'}`;
  }
  return null;
}

function fits({ types, shape }: ExpectedTensor, found: FoundTensor): boolean {
  if (!types.some((type) => type === found.type)) return false;
  if (shape === null || found.shape === null) return true;
  if (shape.length !== found.shape.length) return false;
  return shape.every(
    (side, axis) => side === null || typeof found.shape?.[axis] === 'string' || found.shape?.[axis] === side,
  );
}

function describe({ types, shape }: ExpectedTensor): string {
  const sides = shape === null ? 'of any shape' : `[${shape.map((side) => side ?? 'any').join(', ')}]`;
  return `${types.join(' or ')} ${sides}`;
}

function describeFound({ type, shape }: FoundTensor): string {
  return `${type} ${shape === null ? 'of any shape' : `[${shape.join(', ')}]`}`;
}
