import type { Lane } from '../operations/operation.js';
import type { Routing } from '../routing/routing.js';
import type { Claim, Job } from './job-store.js';
import { type JobRow, type JobTable, toJob } from './rows.js';

// `+ 0` hides the limit from the planner, which would otherwise plan anew at every run: 30 µs a claim, not 130.
const claimSql = `
  UPDATE jobs
  SET state = 'running', attempt = attempt + 1, token = token + 1, started_at = @at, lease_expires_at = @leaseExpiresAt
  WHERE seq IN (
    SELECT seq FROM jobs
    WHERE state = 'queued' AND lane = @lane AND run_at <= @at
    ORDER BY priority DESC, run_at, seq
    LIMIT @limit + 0
  )
  RETURNING *`;

/** Begins an attempt of up to `limit` due jobs; those to run first come first. */
export function claimJobs(table: JobTable, lane: Lane, { limit, leaseMs }: { limit: number; leaseMs: number }): Job[] {
  const at = table.now();
  const rows = table.db.all<JobRow>(claimSql, { lane, limit, at, leaseExpiresAt: at + leaseMs });
  return rows.sort(byTurn).map(toJob);
}

/** SQLite returns the rows of an UPDATE in no promised order. */
function byTurn(a: JobRow, b: JobRow): number {
  return b.priority - a.priority || a.run_at - b.run_at || a.seq - b.seq;
}

const renewSql = `
  UPDATE jobs SET lease_expires_at = @leaseExpiresAt
  WHERE id = @id AND token = @token AND state = 'running'
  RETURNING cancel_requested`;

/** Prolongs the leases; tells which claims are lost and which jobs are to stop. */
export function renewLeases(
  { db, now }: JobTable,
  claims: Claim[],
  leaseMs: number,
): { lost: Claim[]; cancelled: string[] } {
  const lost: Claim[] = [];
  const cancelled: string[] = [];
  const leaseExpiresAt = now() + leaseMs;
  for (const claim of claims) {
    const [row] = db.all<Pick<JobRow, 'cancel_requested'>>(renewSql, { ...keyOf(claim), leaseExpiresAt });
    if (!row) lost.push(claim);
    else if (row.cancel_requested) cancelled.push(claim.id);
  }
  return { lost, cancelled };
}

const progressSql = `
  UPDATE jobs SET progress = @progress, stage = @stage
  WHERE id = @id AND token = @token AND state = 'running'`;

/** Notes how far the attempt is. */
export function noteProgress({ db }: JobTable, claim: Claim, at: { progress: number; stage: string }): boolean {
  return db.run(progressSql, { ...keyOf(claim), ...at }) === 1;
}

const routeSql = `
  UPDATE jobs SET routing = @routing
  WHERE id = @id AND token = @token AND state = 'running'`;

/** Notes what the router decided and whom it has asked. */
export function noteRouting({ db }: JobTable, claim: Claim, routing: Routing): boolean {
  return db.run(routeSql, { ...keyOf(claim), routing: JSON.stringify(routing) }) === 1;
}

/** A claim may be a whole job. */
function keyOf({ id, token }: Claim): { id: string; token: number } {
  return { id, token };
}
