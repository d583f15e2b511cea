import { randomBytes } from 'node:crypto';
import type { Submission, Submitted, WebhookRequest } from '../api.js';
import { EngineError } from '../errors.js';
import { discard, fingerprint, type IntakeParts, isReceived, takeIn } from './intake.js';
import type { IdempotencyKey, JobStore, NewJob, Webhook } from '../jobs/job-store.js';
import { modelNeeds, parseParams } from '../operations/index.js';
import type { Lane, Operation } from '../operations/operation.js';
import { withPreset } from './presets.js';
import type { Routing } from '../routing/routing.js';
import type { ModelShelf } from '../shelf.js';
import type { Webhooks } from '../webhooks/webhooks.js';

export interface SubmissionParts {
  operations: readonly Operation[];
  jobs: JobStore;
  shelf: Pick<ModelShelf, 'choose'>;
  intake: IntakeParts;
  /** Folder of the operator's presets. */
  presets: string;
  maxQueued: number;
  timeoutMs: number;
  /** Null: webhooks are not taken. */
  webhooks: Pick<Webhooks, 'accept'> | null;
  wake(lane: Lane): void;
  /** What the router decides at the door, null for what it has no say in. Errors: `invalid_input`, `provider_unavailable`. */
  planRoute(
    operation: Operation,
    params: Record<string, unknown>,
    inputs: readonly { field: string }[],
  ): Promise<Routing | null>;
  /** Where jobs of the operation wait. */
  laneOf(operation: Operation): Lane;
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

/** What a submission is prepared with; its `intake` says what is stored on the way. */
export type Parts = SubmissionParts & { intake: Parameters<typeof takeIn>[2] };

async function insertOrReplay(submission: Submission, parts: Parts): Promise<Submitted> {
  const { jobs, maxQueued, wake } = parts;
  const checked = check(submission, parts);
  const idempotency = idempotencyOf(submission, checked);
  const known = idempotency ? await jobs.findReplay(submission.owner, idempotency) : null;
  if (known) return { job: known, replayed: true };
  const job = await prepare(submission, checked, parts);
  const inserted = await jobs.insert(job, idempotency ? { idempotency, maxQueued } : { maxQueued });
  wake(job.lane);
  return inserted;
}

export interface Checked {
  operation: Operation;
  idPrefix: string;
  params: Record<string, unknown>;
  warnings: string[];
  webhook: Webhook | null;
}

/** What can be said of a submission without looking at its pictures. Errors: those of `Engine.submit`. */
export function check(
  { operation: name, params: raw, webhook }: Submission,
  { operations, shelf, webhooks, presets }: SubmissionParts,
): Checked {
  const operation = pickOperation(operations, name);
  const { params, warnings } = parseParams(operation, withPreset(operation, raw, presets));
  shelf.choose(modelNeeds(operation, params));
  const { idPrefix } = operation;
  return { operation, idPrefix, params: { ...params }, warnings, webhook: acceptWebhook(webhook, webhooks) };
}

/** The job, its pictures stored and looked at. Errors: those of `takeIn`. */
export async function prepare(submission: Submission, checked: Checked, parts: Parts): Promise<NewJob> {
  const { intake, timeoutMs, planRoute, laneOf } = parts;
  const { operation, idPrefix, ...rest } = checked;
  const { owner, priority = 0, autoRetry = false } = submission;
  const routing = await planRoute(operation, checked.params, submission.inputs);
  const inputs = await takeIn(submission, operation, intake);
  const id = newId(idPrefix);
  return {
    ...rest,
    id,
    operation: operation.name,
    lane: laneOf(operation),
    owner,
    priority,
    inputs,
    autoRetry,
    routing,
    timeoutMs,
  };
}

/** A new id with this prefix. */
export function newId(prefix: string): string {
  return `${prefix}_${randomBytes(12).toString('hex')}`;
}

/** What is stored of whom to tell. Errors: `invalid_input`. */
export function acceptWebhook(
  request: WebhookRequest | undefined,
  webhooks: SubmissionParts['webhooks'],
): Webhook | null {
  if (request === undefined) return null;
  if (webhooks !== null) return webhooks.accept(request);
  throw new EngineError('invalid_input', 'Webhooks are sent by the server only', { param: 'webhook_url' });
}

function idempotencyOf(submission: Submission, { operation, params }: Checked): IdempotencyKey | null {
  const key = checkKey(submission.idempotencyKey);
  return key === null ? null : { key, fingerprint: fingerprint(operation, params, submission) };
}

/** The key of a request, or null. Errors: `invalid_input`. */
export function checkKey(key: string | undefined): string | null {
  if (key === undefined) return null;
  if (key.length === 0 || key.length > 255) {
    throw new EngineError('invalid_input', `Expected an Idempotency-Key of 1 to 255 characters, got ${key.length}`, {
      param: 'Idempotency-Key',
    });
  }
  return key;
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
