import { EngineError } from '../engine/errors.js';
import type { ModelEntry } from './lockfile.js';
import type { TensorData } from './session.js';

/** The names of a picture-to-picture network's input and output: the first of each. */
export function pictureTensors({ inputs, outputs }: ModelEntry): { input: string; output: string } {
  return { input: inputs[0]?.name ?? '', output: outputs[0]?.name ?? '' };
}

/**
 * The samples of a result; without a `length`, as many as there are. Errors: `internal` if the network gave another type or
 * number of them than its entry says, or something that is no number (half precision overflows on some devices).
 */
export function samples<Type extends Uint8Array | Float32Array>(
  entry: ModelEntry,
  result: TensorData | undefined,
  { type, length }: { type: new () => Type; length?: number },
): Type {
  if (result?.data instanceof type && (length === undefined || result.data.length === length)) {
    if (hasOnlyNumbers(result.data)) return result.data;
    throw new EngineError('internal', `Model "${entry.id}" gave samples that are no numbers`);
  }
  const found = result ? `${result.type} [${result.dims.join(', ')}]` : 'nothing';
  throw new EngineError(
    'internal',
    `Model "${entry.id}" gave ${found} where ${length ?? 'other'} samples were expected`,
  );
}

function hasOnlyNumbers(data: Uint8Array | Float32Array): boolean {
  if (data instanceof Uint8Array) return true;
  // A loop, since `every` with a function takes ten times as long: 200 ms for a tile enlarged four times.
  for (let at = 0; at < data.length; at++) if (!Number.isFinite(data[at])) return false;
  return true;
}
