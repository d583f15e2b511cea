import type { ModelRequest } from '../../models/weights.js';
import { backgroundRemoval } from './background-removal.js';
import type { Operation } from './operation.js';
import { superResolution } from './super-resolution.js';

export { parseParams } from './params.js';

/** Everything that can be asked for. */
export const operations: readonly Operation[] = [backgroundRemoval, superResolution];

/** The operation of this name, or undefined. */
export function findOperation(name: string, among: readonly Operation[] = operations): Operation | undefined {
  return among.find((operation) => operation.name === name);
}

/** Which model a job of this operation needs; `params` have been parsed before. */
export function modelRequest(operation: Operation, params: object): ModelRequest {
  const known = operation.params.parse(params);
  return {
    task: operation.task,
    wanted: known.model,
    misfit: (entry) => operation.misfit?.(entry, known) ?? null,
  };
}
