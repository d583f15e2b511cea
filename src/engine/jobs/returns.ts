import type { SerializedError } from '../errors.js';
import { end, withError } from './endings.js';
import type { Claim } from './job-store.js';
import { findClaimed, type JobRow, type JobTable } from './rows.js';

/** A job during which the program was ended this often (by the system when memory runs out, say) is taken for the reason. */
const maxInterruptions = 10;

const leaseRanOut: SerializedError = {
  code: 'crashed',
  message: 'The attempt was lost: nothing was heard of it for the length of its lease',
  details: {},
};

const killedTooOften: SerializedError = {
  code: 'crashed',
  message: `The program was ended from outside ${maxInterruptions + 1} times in the middle of this job`,
  details: {},
};

/** Puts the claimed job back as if this attempt had not been; false if the claim is lost. */
export function releaseJob(table: JobTable, claim: Claim): boolean {
  const row = findClaimed(table, claim);
  if (!row) return false;
  putBack(table, { ...row, attempt: row.attempt - 1 });
  return true;
}

/** Puts the claimed job back with its error, or ends it when its attempts are used up; false if the claim is lost. */
export function retryJobLater(
  table: JobTable,
  claim: Claim,
  { error, delayMs }: { error: SerializedError; delayMs: number },
): boolean {
  const row = findClaimed(table, claim);
  if (!row) return false;
  retry(table, row, { error, delayMs });
  return true;
}

/** Gives the claimed job's attempt back and counts the interruption; false if the claim is lost. */
export function interruptJob(table: JobTable, claim: Claim): boolean {
  const row = findClaimed(table, claim);
  if (!row) return false;
  interrupt(table, row);
  return true;
}

/** Gives back every running attempt, for none can be alive when the server has just started; returns the ids. */
export function recoverJobs(table: JobTable): string[] {
  const rows = table.db.all<JobRow>(`SELECT * FROM jobs WHERE state = 'running'`);
  for (const row of rows) interrupt(table, row);
  return rows.map(({ id }) => id);
}

/** Takes back the attempts whose lease has run out; each counts. Returns the ids. */
export function sweepJobs(table: JobTable): string[] {
  const rows = table.db.all<JobRow>(`SELECT * FROM jobs WHERE state = 'running' AND lease_expires_at <= @at`, {
    at: table.now(),
  });
  for (const row of rows) retry(table, row, { error: leaseRanOut, delayMs: 0 });
  return rows.map(({ id }) => id);
}

function interrupt(table: JobTable, row: JobRow): void {
  if (row.interruptions >= maxInterruptions) giveUp(table, withError(row, killedTooOften, table.now()), killedTooOften);
  else putBack(table, { ...row, attempt: row.attempt - 1, interruptions: row.interruptions + 1 });
}

function retry(table: JobTable, row: JobRow, { error, delayMs }: { error: SerializedError; delayMs: number }): void {
  const at = table.now();
  const noted = withError(row, error, at);
  if (row.attempt >= row.max_attempts) giveUp(table, noted, error);
  else putBack(table, { ...noted, run_at: Math.ceil(at + delayMs) });
}

function giveUp(table: JobTable, row: JobRow, error: SerializedError): void {
  end(table, row, row.cancel_requested ? { state: 'cancelled' } : { state: 'failed', error });
}

const putBackSql = `
  UPDATE jobs
  SET state = 'queued', run_at = @run_at, attempt = @attempt, interruptions = @interruptions, errors = @errors,
      progress = 0, stage = NULL, started_at = NULL, lease_expires_at = NULL
  WHERE seq = @seq`;

/** The attempt is over, so a cancellation that it did not live to see is done now: the job must not begin again. */
function putBack(table: JobTable, row: JobRow): void {
  if (row.cancel_requested) end(table, row, { state: 'cancelled' });
  else table.db.run(putBackSql, row);
}
