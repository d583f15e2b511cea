import { EngineError } from '../../engine/errors.js';
import { initializersOf } from './onnx-file.js';
import type { FoundTensor } from './onnx-tensor.js';

export interface MixtureOptions {
  /** Of the second network, 0..1. */
  share: number;
  /** Ids of the two, for messages. */
  names: readonly string[];
}

/**
 * The first network with every float weight moved by `share` towards that of the second; weights are matched by their
 * order, since exporters name them differently. Errors: `model_unavailable` if the two differ in architecture.
 */
export function mixWeights(bytes: Uint8Array, others: Uint8Array, { share, names }: MixtureOptions): Uint8Array {
  const mixed = Uint8Array.from(bytes);
  const [tensors, twins] = [initializersOf(mixed), initializersOf(others)];
  const isAlike = (one: FoundTensor, other: FoundTensor | undefined) =>
    other !== undefined && one.type === other.type && one.dims.join() === other.dims.join();
  if (tensors.length !== twins.length || !tensors.every((one, index) => isAlike(one, twins[index]))) {
    const message = `The weights of "${names.join('" and "')}" can't be mixed: their networks are built differently`;
    throw new EngineError('model_unavailable', message);
  }
  for (const [index, { type, bytes: weights }] of tensors.entries()) {
    if (type === 'float32') mixFloats(weights, (twins[index] as FoundTensor).bytes, share);
  }
  return mixed;
}

function mixFloats(weights: Uint8Array, others: Uint8Array, share: number): void {
  const [into, from] = [viewOf(weights), viewOf(others)];
  for (let at = 0; at + 4 <= weights.length; at += 4) {
    const value = into.getFloat32(at, true);
    into.setFloat32(at, value + (from.getFloat32(at, true) - value) * share, true);
  }
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}
