import type { Db } from './db.js';
import type { Claim, Job } from './job-store.js';

/** The table of jobs, and the clock that its times are on. */
export interface JobTable {
  db: Db;
  now: () => number;
  /** Called when a delivery has been stored, before the commit of its transaction. */
  onOwed?: () => void;
}

/** A row as SQLite keeps it; structured fields are JSON. */
export type JobRow = {
  seq: number;
  id: string;
  operation: string;
  owner: string;
  lane: Job['lane'];
  priority: number;
  state: Job['state'];
  params: string;
  inputs: string;
  warnings: string;
  result: string | null;
  error: string | null;
  errors: string;
  progress: number;
  stage: string | null;
  attempt: number;
  max_attempts: number;
  interruptions: number;
  token: number;
  cancel_requested: 0 | 1;
  timeout_ms: number;
  created_at: number;
  run_at: number;
  started_at: number | null;
  finished_at: number | null;
  lease_expires_at: number | null;
  batch_id: string | null;
  webhook: string | null;
  auto_retry: 0 | 1;
  routing: string | null;
};

/** The row of a job, or undefined. */
export function findRow({ db }: JobTable, id: string): JobRow | undefined {
  return db.get<JobRow>('SELECT * FROM jobs WHERE id = @id', { id });
}

/** The row of the attempt that the claim is for; undefined if it is no longer the job's current one. */
export function findClaimed({ db }: JobTable, { id, token }: Claim): JobRow | undefined {
  return db.get<JobRow>(`SELECT * FROM jobs WHERE id = @id AND token = @token AND state = 'running'`, { id, token });
}

/** The job, or null. */
export function readJob(table: JobTable, id: string): Job | null {
  const row = findRow(table, id);
  return row ? toJob(row) : null;
}

/** A row as the rest of the program knows it. */
export function toJob(row: JobRow): Job {
  return {
    id: row.id,
    operation: row.operation,
    owner: row.owner,
    lane: row.lane,
    priority: row.priority,
    state: row.state,
    params: JSON.parse(row.params),
    inputs: JSON.parse(row.inputs),
    warnings: JSON.parse(row.warnings),
    result: row.result === null ? null : JSON.parse(row.result),
    error: row.error === null ? null : JSON.parse(row.error),
    errors: JSON.parse(row.errors),
    progress: row.progress,
    stage: row.stage,
    attempt: row.attempt,
    maxAttempts: row.max_attempts,
    interruptions: row.interruptions,
    token: row.token,
    cancelRequested: row.cancel_requested === 1,
    timeoutMs: row.timeout_ms,
    batch: row.batch_id,
    webhook: row.webhook === null ? null : JSON.parse(row.webhook),
    autoRetry: row.auto_retry === 1,
    routing: row.routing === null ? null : JSON.parse(row.routing),
    createdAt: row.created_at,
    runAt: row.run_at,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    leaseExpiresAt: row.lease_expires_at,
  };
}
