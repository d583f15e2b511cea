import { EngineError } from '../engine/errors.js';
import type { ModelEntry } from './lockfile.js';
import type { TensorData } from './session.js';

/** The names of a picture-to-picture network's input and output: the first of each. */
export function pictureTensors({ inputs, outputs }: ModelEntry): { input: string; output: string } {
  return { input: inputs[0]?.name ?? '', output: outputs[0]?.name ?? '' };
}

/** The samples of a result. Errors: `internal` if the network gave another type or number of them than its entry says. */
export function samples<Type extends Uint8Array | Float32Array>(
  entry: ModelEntry,
  result: TensorData | undefined,
  { type, length }: { type: new () => Type; length: number },
): Type {
  if (result?.data instanceof type && result.data.length === length) return result.data;
  const found = result ? `${result.type} [${result.dims.join(', ')}]` : 'nothing';
  throw new EngineError('internal', `Model "${entry.id}" gave ${found} where ${length} samples were expected`);
}
