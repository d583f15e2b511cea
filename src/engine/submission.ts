import { randomBytes } from 'node:crypto';
import type { Submission, Submitted } from './api.js';
import { EngineError } from './errors.js';
import { discard, fingerprint, type IntakeParts, isReceived, takeIn } from './intake.js';
import type { IdempotencyKey, JobStore } from './jobs/job-store.js';
import { modelNeeds, parseParams } from './operations/index.js';
import type { Lane, Operation } from './operations/operation.js';
import type { ModelShelf } from './shelf.js';

export interface SubmissionParts {
  operations: readonly Operation[];
  jobs: JobStore;
  shelf: Pick<ModelShelf, 'choose'>;
  intake: IntakeParts;
  maxQueued: number;
  timeoutMs: number;
  wake(lane: Lane): void;
}

/** See `Engine.submit`. What this submission stored is removed when it fails or turns out to be a replay. */
export async function submit(submission: Submission, parts: SubmissionParts): Promise<Submitted> {
  const stored = submission.inputs.filter(isReceived);
  const { blobs } = parts.intake;
  try {
    const submitted = await insertOrReplay(submission, { ...parts, intake: { ...parts.intake, stored } });
    if (submitted.replayed) await discard(stored, blobs);
    return submitted;
  } catch (error) {
    await discard(stored, blobs);
    throw error;
  }
}

async function insertOrReplay(
  submission: Submission,
  {
    operations,
    jobs,
    shelf,
    intake,
    maxQueued,
    timeoutMs,
    wake,
  }: SubmissionParts & { intake: Parameters<typeof takeIn>[2] },
): Promise<Submitted> {
  const operation = pickOperation(operations, submission.operation);
  const { params: checked, warnings } = parseParams(operation, submission.params);
  shelf.choose(modelNeeds(operation, checked));
  const params = { ...checked };
  const idempotency = idempotencyOf(submission, operation, params);
  const known = idempotency ? await jobs.findReplay(submission.owner, idempotency) : null;
  if (known) return { job: known, replayed: true };
  const inputs = await takeIn(submission, operation, intake);
  const { name, lane } = operation;
  const id = `${operation.idPrefix}_${randomBytes(12).toString('hex')}`;
  const { owner, priority = 0 } = submission;
  const job = { id, operation: name, lane, owner, priority, params, inputs, warnings, timeoutMs };
  const inserted = await jobs.insert(job, idempotency ? { idempotency, maxQueued } : { maxQueued });
  wake(lane);
  return inserted;
}

function idempotencyOf(
  submission: Submission,
  operation: Operation,
  params: Record<string, unknown>,
): IdempotencyKey | null {
  const key = submission.idempotencyKey;
  if (key === undefined) return null;
  if (key.length === 0 || key.length > 255) {
    throw new EngineError('invalid_input', `Expected an Idempotency-Key of 1 to 255 characters, got ${key.length}`, {
      param: 'Idempotency-Key',
    });
  }
  return { key, fingerprint: fingerprint(operation, params, submission.inputs) };
}

/** The operation of this name. Errors: `not_found`. */
export function pickOperation(operations: readonly Operation[], name: string): Operation {
  const operation = operations.find((each) => each.name === name);
  if (operation) return operation;
  throw new EngineError(
    'not_found',
    `No operation "${name}"; there are ${operations.map((each) => each.name).join(', ')}`,
    { param: 'operation' },
  );
}
