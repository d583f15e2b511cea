import { backgroundRemoval } from './background-removal.js';
import { imageEdit } from './image-edit.js';
import { imageRestoration } from './image-restoration.js';
import { EngineError, toEngineError } from '../errors.js';
import type { ModelNeed, Operation, Step } from './operation.js';
import { type ParsedParams, parseParams as parseOwn } from './params.js';
import { pipeline } from './pipeline.js';
import { superResolution } from './super-resolution.js';
import { videoGeneration } from './video-generation.js';
import { stepSlot } from './workbench.js';

/** Everything that can be asked for. */
export const operations: readonly Operation[] = [
  backgroundRemoval,
  superResolution,
  imageRestoration,
  imageEdit,
  pipeline,
  videoGeneration,
];

/** The operation of this name, or undefined. */
export function findOperation(name: string, among: readonly Operation[] = operations): Operation | undefined {
  return among.find((operation) => operation.name === name);
}

/** The models that a job of this operation needs, those of its steps included; `params` have been parsed before. */
export function modelNeeds(operation: Operation, params: object): ModelNeed[] {
  const known = operation.params.parse(params);
  const ofSteps = (operation.steps?.(known) ?? []).flatMap((step, index) => {
    const other = operationOf(step, index);
    return modelNeeds(other, parseOwn(other, step.params).params).map((need) => ({
      ...need,
      slot: stepSlot(index, need.slot ?? need.task),
    }));
  });
  return [...operation.models(known), ...ofSteps];
}

/**
 * Params as sent, checked and completed with their defaults, those of steps too; what an operation does not know becomes
 * a warning. Errors: `invalid_input` naming the first param that is wrong.
 */
export function parseParams<Params extends object>(
  operation: Operation<Params>,
  raw: Record<string, unknown>,
): ParsedParams<Params> {
  const { params, warnings } = parseOwn(operation, raw);
  const ofSteps = (operation.steps?.(params) ?? []).flatMap((step, index) => parseStep(step, index).warnings);
  return { params, warnings: [...warnings, ...ofSteps] };
}

function parseStep(step: Step, index: number): ParsedParams<object> {
  const { params, warnings } = inStep(index, () => parseParams(operationOf(step, index), step.params));
  return { params, warnings: warnings.map((text) => `Step ${index + 1}: ${text}`) };
}

/** Names the step in the param of an error. */
function inStep<Result>(index: number, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    const { code, message, details } = toEngineError(error);
    if (code !== 'invalid_input' || details.param?.startsWith('steps[')) throw error;
    throw new EngineError(code, `Step ${index + 1}: ${message}`, { param: `steps[${index}].${details.param}` });
  }
}

function operationOf({ operation: name }: Step, index: number): Operation {
  const found = findOperation(name);
  if (found && found.steps === undefined && found.pictures[0]?.field === 'image') return found;
  const known = operations.filter(({ steps, pictures }) => !steps && pictures[0]?.field === 'image');
  const message = `Expected a step to be one of ${known.map((each) => each.name).join(', ')}, got "${name}"`;
  throw new EngineError('invalid_input', message, { param: `steps[${index}].operation` });
}
