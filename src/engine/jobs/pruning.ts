import type { JobTable } from './rows.js';

/** Rows per transaction: a few milliseconds, so that pruning a million jobs never holds up a request. */
const batch = 500;

const keepKeysMs = 24 * 60 * 60 * 1000;

const pruneJobsSql = `
  DELETE FROM jobs WHERE seq IN (
    SELECT seq FROM jobs WHERE finished_at < @endedBefore ORDER BY finished_at LIMIT ${batch}
  )`;

/** Removes some of the jobs that ended before; returns how many, 0 when none is left. */
export function pruneJobs({ db }: JobTable, endedBefore: number): number {
  return db.run(pruneJobsSql, { endedBefore });
}

const pruneBatchesSql = `
  DELETE FROM batches WHERE seq IN (
    SELECT seq FROM batches
    WHERE finished_at < @endedBefore AND NOT EXISTS (SELECT 1 FROM jobs WHERE batch_id = batches.id)
    ORDER BY finished_at LIMIT ${batch}
  )`;

/** Removes some of the batches that ended before and whose jobs are gone; returns how many, 0 when none is left. */
export function pruneBatches({ db }: JobTable, endedBefore: number): number {
  return db.run(pruneBatchesSql, { endedBefore });
}

// A job may wait and run for longer than a day: until it has ended its key must not make a second one.
const pruneKeysSql = `
  DELETE FROM idempotency_keys WHERE rowid IN (
    SELECT rowid FROM idempotency_keys
    WHERE created_at < @createdBefore
      AND NOT EXISTS (SELECT 1 FROM jobs WHERE jobs.id = job_id AND finished_at IS NULL)
      AND NOT EXISTS (SELECT 1 FROM batches WHERE batches.id = job_id AND finished_at IS NULL)
    ORDER BY created_at LIMIT ${batch}
  )`;

/** Removes some of the idempotency keys that need not be kept any more; returns how many, 0 when none is left. */
export function pruneIdempotencyKeys({ db, now }: JobTable): number {
  return db.run(pruneKeysSql, { createdBefore: now() - keepKeysMs });
}
