import { EngineError } from '../errors.js';
import type { IdempotencyKey, Inserted, Job, NewJob } from './job-store.js';
import { type JobRow, type JobTable, readJob, toJob } from './rows.js';

/** A full queue has room again as soon as one job is claimed, so a client need not stay away for long. */
const retryAfterSeconds = 5;

/** Stores a new job or finds the one that its idempotency key made. Errors: `busy`, `idempotency_key_reuse`, `gone`. */
export function insertJob(
  table: JobTable,
  job: NewJob,
  { idempotency, maxQueued }: { idempotency?: IdempotencyKey; maxQueued?: number },
): Inserted {
  const known = idempotency && findReplay(table, job.owner, idempotency);
  if (known) return { job: known, replayed: true };
  if (maxQueued !== undefined) admit(table, maxQueued);
  const stored = addRow(table, job);
  if (idempotency) addKey(table, stored, idempotency);
  return { job: stored, replayed: false };
}

/** The job that the key made before, or null. Errors: `idempotency_key_reuse`, `gone` if that job was removed since. */
export function findReplay(table: JobTable, owner: string, { key, fingerprint }: IdempotencyKey): Job | null {
  const known = table.db.get<{ fingerprint: string; job_id: string }>(
    'SELECT fingerprint, job_id FROM idempotency_keys WHERE owner = @owner AND key = @key',
    { owner, key },
  );
  if (!known) return null;
  if (known.fingerprint !== fingerprint) {
    throw new EngineError(
      'idempotency_key_reuse',
      'This Idempotency-Key was used for another request: choose a new one',
    );
  }
  const job = readJob(table, known.job_id);
  if (!job) throw new EngineError('gone', 'The job of this Idempotency-Key was removed: choose a new one');
  return job;
}

function admit({ db }: JobTable, maxQueued: number): void {
  const waiting = db.get<{ jobs: number }>(
    `SELECT coalesce(sum(jobs), 0) AS jobs FROM job_counts WHERE state = 'queued'`,
  );
  if (!waiting || waiting.jobs < maxQueued) return;
  const message = `The queue is full (${waiting.jobs} jobs wait): try again in ${retryAfterSeconds} seconds`;
  throw new EngineError('busy', message, { retryAfterSeconds });
}

const addRowSql = `
  INSERT INTO jobs (id, operation, owner, lane, priority, state, params, inputs, warnings,
                    max_attempts, timeout_ms, created_at, run_at)
  VALUES (@id, @operation, @owner, @lane, @priority, 'queued', @params, @inputs, @warnings,
          @maxAttempts, @timeoutMs, @at, @at)
  RETURNING *`;

function addRow({ db, now }: JobTable, job: NewJob): Job {
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
    at: now(),
  });
  return toJob(row as JobRow);
}

function addKey({ db }: JobTable, job: Job, { key, fingerprint }: IdempotencyKey): void {
  db.run(
    `INSERT INTO idempotency_keys (owner, key, fingerprint, job_id, created_at)
     VALUES (@owner, @key, @fingerprint, @jobId, @at)`,
    { owner: job.owner, key, fingerprint, jobId: job.id, at: job.createdAt },
  );
}
