import type { SerializedError } from '../errors.js';
import { closeBatch, findOpenJobs, readBatch } from './batches.js';
import { type AttemptError, type Batch, type Claim, hasEnded, type Job, type JobResult } from './job-store.js';
import { owe } from './outbox.js';
import { findClaimed, findRow, type JobRow, type JobTable, toJob } from './rows.js';

export type Ending =
  | { state: 'completed'; result: JobResult }
  | { state: 'failed'; error: SerializedError }
  | { state: 'cancelled' };

const endSql = `
  UPDATE jobs
  SET state = @state, result = @result, error = @error, errors = @errors,
      progress = iif(@state = 'completed', 1, progress), stage = NULL, lease_expires_at = NULL, finished_at = @at
  WHERE seq = @seq`;

/**
 * Ends a job that was just read in this transaction. Every end of every job goes through here, so what has to be
 * stored together with an end is stored here.
 */
export function end(table: JobTable, row: JobRow, ending: Ending): void {
  table.db.run(endSql, {
    seq: row.seq,
    state: ending.state,
    result: ending.state === 'completed' ? JSON.stringify(ending.result) : null,
    error: ending.state === 'failed' ? JSON.stringify(ending.error) : null,
    errors: row.errors,
    at: table.now(),
  });
  const { id, owner, operation, webhook, batch_id: batch } = row;
  const status = ending.state === 'completed' ? 'completed' : 'failed';
  if (webhook !== null) owe(table, { kind: 'job', subject: id, owner, operation, status, webhook });
  if (batch !== null) closeBatch(table, batch);
}

/** Ends the claimed job; false if the claim is lost. */
export function endClaimed(table: JobTable, claim: Claim, ending: Ending): boolean {
  const row = findClaimed(table, claim);
  if (!row) return false;
  const noted = ending.state === 'failed' ? withError(row, ending.error, table.now()) : row;
  end(table, noted, ending);
  return true;
}

/** Ends a queued job, asks a running one to stop, leaves an ended one alone; the job as it is then, null if unknown. */
export function cancelJob(table: JobTable, id: string): Job | null {
  const row = findRow(table, id);
  if (!row) return null;
  if (hasEnded(row)) return toJob(row);
  if (row.state === 'queued') end(table, row, { state: 'cancelled' });
  else table.db.run('UPDATE jobs SET cancel_requested = 1 WHERE seq = @seq', { seq: row.seq });
  return toJob(findRow(table, id) as JobRow);
}

/** Cancels every job of a batch that has not ended; the batch as it is then, null if unknown. */
export function cancelBatch(table: JobTable, id: string): Batch | null {
  for (const job of findOpenJobs(table, id)) cancelJob(table, job);
  return readBatch(table, id);
}

/** The row with the failure of its current attempt added. */
export function withError(row: JobRow, error: SerializedError, at: number): JobRow {
  const entry: AttemptError = { ...error, attempt: row.attempt, at };
  return { ...row, errors: JSON.stringify([...JSON.parse(row.errors), entry]) };
}
