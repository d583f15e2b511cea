import { createHash } from 'node:crypto';
import type { BatchItem, BatchSubmission, ReceivedFile, Submission, SubmittedBatch } from '../api.js';
import { isDataUri } from '../downloads/data-uri.js';
import { EngineError, type ErrorCode, serializeError, toEngineError } from '../errors.js';
import { discard, fingerprint, isReceived } from './intake.js';
import type { NewBatch, NewBatchItem } from '../jobs/job-store.js';
import type { BatchTraits, Operation } from '../operations/operation.js';
import { acceptWebhook, check, checkKey, newId, pickOperation, prepare, type SubmissionParts } from './submission.js';

/** Pictures that are fetched and looked at together; the others wait. */
const concurrency = 16;

/** These are about the machine and not about an item. */
const concernsAll: readonly ErrorCode[] = ['busy', 'storage_full', 'internal', 'interrupted', 'cancelled'];

/** See `Engine.submitBatch`. */
export async function submitBatch(submission: BatchSubmission, parts: SubmissionParts): Promise<SubmittedBatch> {
  const stored = submission.items.flatMap(({ inputs }) => inputs.filter(isReceived));
  try {
    const submitted = await insertOrReplay(submission, parts, stored);
    if (submitted.replayed) await discard(stored, parts.intake.blobs);
    return submitted;
  } catch (error) {
    await discard(stored, parts.intake.blobs);
    throw error;
  }
}

async function insertOrReplay(
  submission: BatchSubmission,
  parts: SubmissionParts,
  stored: ReceivedFile[],
): Promise<SubmittedBatch> {
  const { jobs, maxQueued, wake } = parts;
  const { operation, traits } = pickBatchOperation(submission, parts);
  const webhook = acceptWebhook(submission.webhook, parts.webhooks);
  const key = checkKey(submission.idempotencyKey);
  const idempotency = key === null ? null : { key, fingerprint: fingerprintOf(submission, operation) };
  const known = idempotency ? await jobs.findBatchReplay(submission.owner, idempotency) : null;
  if (known) return { batch: known, replayed: true };
  const preparing = { submission, operation, traits, parts, stored };
  const items = await mapSome(submission.items, (item) => prepareItem(item, preparing));
  refuseHopeless(items, submission.param);
  const { owner } = submission;
  const batch: NewBatch = { id: newId(traits.idPrefix), operation: operation.name, owner, items, webhook };
  const inserted = await jobs.insertBatch(batch, idempotency ? { idempotency, maxQueued } : { maxQueued });
  wake(parts.laneOf(operation));
  return inserted;
}

function pickBatchOperation(
  { operation: name, items, param }: BatchSubmission,
  { operations }: SubmissionParts,
): { operation: Operation; traits: BatchTraits } {
  const operation = pickOperation(operations, name);
  const traits = operation.batch;
  if (!traits) throw new EngineError('unsupported', `${name} is ordered one at a time`, { param: 'operation' });
  if (items.length > 0 && items.length <= traits.max) return { operation, traits };
  throw new EngineError('invalid_input', `Expected 1 to ${traits.max} in \`${param}\`, got ${items.length}`, { param });
}

interface Preparing {
  submission: BatchSubmission;
  operation: Operation;
  traits: BatchTraits;
  parts: SubmissionParts;
  /** What is stored for the whole batch so far. */
  stored: ReceivedFile[];
}

/** The job of an item; one that can't be done keeps none of its files. Errors: those that concern all. */
async function prepareItem(item: BatchItem, preparing: Preparing): Promise<NewBatchItem> {
  const { submission, operation, traits, parts, stored } = preparing;
  const sent = item.inputs.filter(isReceived);
  const own = [...sent];
  const { idempotencyKey: _, items: __, param: ___, webhook: ____, ...shared } = submission;
  const single: Submission = { ...shared, ...item };
  const idPrefix = traits.jobIdPrefix ?? operation.idPrefix;
  try {
    if (item.refusal) throw item.refusal;
    const checked = { ...check(single, parts), idPrefix };
    const job = await prepare(single, checked, { ...parts, intake: { ...parts.intake, stored: own } });
    stored.push(...own.slice(sent.length));
    return { job };
  } catch (thrown) {
    await discard(own, parts.intake.blobs);
    const error = toEngineError(thrown);
    if (concernsAll.includes(error.code)) throw error;
    return { job: unable(single, { operation, id: newId(idPrefix), parts }), refusal: serializeError(error) };
  }
}

/** The row of an item that can't be done: as it was sent, with the names of its pictures in their place. */
function unable(
  { owner, inputs, webhook, priority = 0, ...sent }: Submission,
  { operation, id, parts }: { operation: Operation; id: string; parts: SubmissionParts },
): NewBatchItem['job'] {
  const { name } = operation;
  const lane = parts.laneOf(operation);
  const told = acceptable(webhook, parts);
  const { timeoutMs } = parts;
  const params = { ...sent.params, ...Object.fromEntries(inputs.flatMap(nameOf)) };
  return { id, operation: name, lane, owner, priority, params, inputs: [], warnings: [], webhook: told, timeoutMs };
}

function nameOf(input: BatchItem['inputs'][number]): [string, string][] {
  if (isReceived(input)) return input.name === undefined ? [] : [[`${input.field}_name`, input.name]];
  return isDataUri(input.url) ? [] : [[`${input.field}_url`, input.url]];
}

/** The webhook of an item may be what is wrong with it. */
function acceptable(webhook: Submission['webhook'], { webhooks }: SubmissionParts) {
  try {
    return acceptWebhook(webhook, webhooks);
  } catch {
    return null;
  }
}

/** Errors: what is wrong with the first item, if something is with each: nothing would be left to do. */
function refuseHopeless(items: NewBatchItem[], list: string): void {
  const [first] = items;
  if (!first?.refusal || items.some(({ refusal }) => refusal === undefined)) return;
  const { code, message, details } = first.refusal;
  const param = details.param === undefined ? `${list}[0]` : `${list}[0].${details.param}`;
  const isOne = items.length === 1;
  throw new EngineError(code, isOne ? message : `None of the ${items.length} can be done. The first: ${message}`, {
    param,
  });
}

/** What makes a batch the same as another: what makes each of its items so, in their order. */
function fingerprintOf({ items, webhook }: BatchSubmission, operation: Operation): string {
  const each = items.map((item) => fingerprint(operation, item.params, item));
  return createHash('sha256')
    .update(JSON.stringify([each, webhook?.url]))
    .digest('hex');
}

/** Like `Promise.all` over a map, with so many at a time; the first failure is told when what had begun has ended. */
async function mapSome<From, To>(from: From[], work: (item: From) => Promise<To>): Promise<To[]> {
  const done: To[] = [];
  const waiting = from.entries();
  let failure: { error: unknown } | null = null;
  const lane = async () => {
    for (const [index, item] of waiting) {
      if (failure) return;
      try {
        done[index] = await work(item);
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: concurrency }, lane));
  if (failure) throw (failure as { error: unknown }).error;
  return done;
}
