import { EngineError } from '../errors.js';
import { readBatch } from './batches.js';
import { end } from './endings.js';
import type {
  Batch,
  IdempotencyKey,
  Inserted,
  InsertedBatch,
  InsertOptions,
  Job,
  NewBatch,
  NewJob,
} from './job-store.js';
import { type JobRow, type JobTable, readJob, toJob } from './rows.js';

/** A full queue has room again as soon as one job is claimed, so a client need not stay away for long. */
const retryAfterSeconds = 5;

/** Stores a new job or finds the one that its idempotency key made. Errors: `busy`, `idempotency_key_reuse`, `gone`. */
export function insertJob(table: JobTable, job: NewJob, { idempotency, maxQueued }: InsertOptions): Inserted {
  const known = idempotency && findReplay(table, job.owner, idempotency);
  if (known) return { job: known, replayed: true };
  admit(table, 1, maxQueued);
  const stored = toJob(addRow(table, job, null));
  if (idempotency) addKey(table, stored, idempotency);
  return { job: stored, replayed: false };
}

/** Stores a batch with its jobs or finds the one that its key made. Errors: as `insertJob`. */
export function insertBatch(
  table: JobTable,
  batch: NewBatch,
  { idempotency, maxQueued }: InsertOptions,
): InsertedBatch {
  const known = idempotency && findBatchReplay(table, batch.owner, idempotency);
  if (known) return { batch: known, replayed: true };
  admit(table, batch.items.filter(({ refusal }) => refusal === undefined).length, maxQueued);
  addBatchRow(table, batch);
  const rows = batch.items.map(({ job }) => addRow(table, job, batch.id));
  // Only now: the first end of a job would otherwise find no other one left and end the batch.
  for (const [index, { refusal }] of batch.items.entries()) {
    if (refusal) end(table, rows[index] as JobRow, { state: 'failed', error: refusal });
  }
  const stored = readBatch(table, batch.id) as Batch;
  if (idempotency) addKey(table, stored, idempotency);
  return { batch: stored, replayed: false };
}

/** The job that the key made before, or null. Errors: `idempotency_key_reuse`, `gone` if that job was removed since. */
export function findReplay(table: JobTable, owner: string, idempotency: IdempotencyKey): Job | null {
  return findKnown(table, { owner, idempotency, read: (id) => readJob(table, id) });
}

/** The batch that the key made before, or null. Errors: as `findReplay`. */
export function findBatchReplay(table: JobTable, owner: string, idempotency: IdempotencyKey): Batch | null {
  return findKnown(table, { owner, idempotency, read: (id) => readBatch(table, id) });
}

interface Known<T> {
  owner: string;
  idempotency: IdempotencyKey;
  read(id: string): T | null;
}

function findKnown<T>({ db }: JobTable, { owner, idempotency, read }: Known<T>): T | null {
  const known = db.get<{ fingerprint: string; job_id: string }>(
    'SELECT fingerprint, job_id FROM idempotency_keys WHERE owner = @owner AND key = @key',
    { owner, key: idempotency.key },
  );
  if (!known) return null;
  if (known.fingerprint !== idempotency.fingerprint) {
    throw new EngineError(
      'idempotency_key_reuse',
      'This Idempotency-Key was used for another request: choose a new one',
    );
  }
  const made = read(known.job_id);
  if (made === null) throw new EngineError('gone', 'The job of this Idempotency-Key was removed: choose a new one');
  return made;
}

function admit({ db }: JobTable, count: number, maxQueued: number | undefined): void {
  if (maxQueued === undefined) return;
  const { jobs = 0 } =
    db.get<{ jobs: number }>(`SELECT coalesce(sum(jobs), 0) AS jobs FROM job_counts WHERE state = 'queued'`) ?? {};
  if (jobs + count <= maxQueued) return;
  const message = `The queue is full (${jobs} jobs wait): try again in ${retryAfterSeconds} seconds`;
  throw new EngineError('busy', message, { retryAfterSeconds });
}

function addBatchRow({ db, now }: JobTable, { id, operation, owner, webhook }: NewBatch): void {
  db.run(
    `INSERT INTO batches (id, operation, owner, webhook, created_at)
     VALUES (@id, @operation, @owner, @webhook, @at)`,
    { id, operation, owner, webhook: webhook ? JSON.stringify(webhook) : null, at: now() },
  );
}

const addRowSql = `
  INSERT INTO jobs (id, operation, owner, lane, priority, state, params, inputs, warnings,
                    max_attempts, timeout_ms, batch_id, webhook, auto_retry, routing, created_at, run_at)
  VALUES (@id, @operation, @owner, @lane, @priority, 'queued', @params, @inputs, @warnings,
          @maxAttempts, @timeoutMs, @batch, @webhook, @autoRetry, @routing, @at, @at)
  RETURNING *`;

function addRow({ db, now }: JobTable, job: NewJob, batch: string | null): JobRow {
  const [row] = db.all<JobRow>(addRowSql, {
    id: job.id,
    operation: job.operation,
    owner: job.owner,
    lane: job.lane,
    priority: job.priority ?? 0,
    params: JSON.stringify(job.params),
    inputs: JSON.stringify(job.inputs),
    warnings: JSON.stringify(job.warnings),
    maxAttempts: job.maxAttempts ?? 3,
    timeoutMs: job.timeoutMs,
    batch,
    webhook: job.webhook ? JSON.stringify(job.webhook) : null,
    autoRetry: job.autoRetry ? 1 : 0,
    routing: job.routing ? JSON.stringify(job.routing) : null,
    at: now(),
  });
  return row as JobRow;
}

function addKey({ db }: JobTable, made: Job | Batch, { key, fingerprint }: IdempotencyKey): void {
  db.run(
    `INSERT INTO idempotency_keys (owner, key, fingerprint, job_id, created_at)
     VALUES (@owner, @key, @fingerprint, @jobId, @at)`,
    { owner: made.owner, key, fingerprint, jobId: made.id, at: made.createdAt },
  );
}
