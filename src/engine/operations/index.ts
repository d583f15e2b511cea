import { backgroundRemoval } from './background-removal.js';
import { imageRestoration } from './image-restoration.js';
import type { ModelNeed, Operation } from './operation.js';
import { superResolution } from './super-resolution.js';
import { videoGeneration } from './video-generation.js';

export { parseParams } from './params.js';

/** Everything that can be asked for. */
export const operations: readonly Operation[] = [backgroundRemoval, superResolution, imageRestoration, videoGeneration];

/** The operation of this name, or undefined. */
export function findOperation(name: string, among: readonly Operation[] = operations): Operation | undefined {
  return among.find((operation) => operation.name === name);
}

/** The models that a job of this operation needs; `params` have been parsed before. */
export function modelNeeds(operation: Operation, params: object): ModelNeed[] {
  return operation.models(operation.params.parse(params));
}
