import { type Db, openDatabase } from '#src/engine/jobs/db.js';
import { GroupCommit } from '#src/engine/jobs/group-commit.js';
import type { DeliveryStore } from '#src/engine/jobs/delivery-store.js';
import type { Job } from '#src/engine/jobs/job-store.js';
import { sqliteDeliveries } from '#src/engine/jobs/sqlite-deliveries.js';
import { SqliteJobs } from '#src/engine/jobs/sqlite-jobs.js';
import { noRouting } from '#src/engine/routing/routing.js';
import { expect, test } from 'vitest';
import { newJob } from './new-job.js';

const error = { code: 'internal' as const, message: 'Internal error', details: {} };

/** Uses every statement of the store at least once. */
async function useEverything(jobs: SqliteJobs, deliveries: DeliveryStore): Promise<void> {
  const idempotency = { key: 'k', fingerprint: 'f' };
  await jobs.insert(newJob('a'), { idempotency, maxQueued: 10 });
  await jobs.insert(newJob('b'), { idempotency });
  const [claimed] = await jobs.claim('device', 1, 1000);
  await jobs.renew([claimed as Job], 1000);
  await jobs.progress(claimed as Job, 0.5, 'infer');
  await jobs.route(claimed as Job, noRouting);
  await jobs.cancel('a');
  await jobs.recover();
  await jobs.insert(newJob('c'));
  const [retried] = await jobs.claim('device', 1, 0);
  await jobs.retryLater(retried as Job, error, 0);
  await jobs.sweep();
  const webhook = { url: 'https://a.example', baseUrl: 'http://here', sealedSecret: null };
  const items = [{ job: newJob('d', { webhook }) }, { job: newJob('e'), refusal: error }];
  const batch = { id: 'batch', operation: 'o', owner: 'local', webhook, items };
  await jobs.insertBatch(batch, { idempotency: { key: 'b', fingerprint: 'f' } });
  await jobs.getBatch('batch');
  await jobs.cancelBatch('batch');
  await deliveries.recover();
  const [taken] = await deliveries.claim({ limit: 10, perHost: 10, leaseMs: 1000 });
  await deliveries.settle(taken?.id ?? '', { at: 0, ms: 0, status: 200, error: null }, { state: 'delivered' });
  await deliveries.nextDueAt();
  await deliveries.list({ owner: 'local', limit: 10 });
  await deliveries.redeliver('whd_d_failed');
  await jobs.prune(0);
  await jobs.nextRunAt('device');
  await jobs.stats();
  await jobs.isWritable();
}

function planOf(db: Db, sql: string): string[] {
  const names = [...sql.matchAll(/@(\w+)/g)].map(([, name]) => name as string);
  const params = Object.fromEntries(names.map((name) => [name, 0]));
  return db.all<{ detail: string }>(`EXPLAIN QUERY PLAN ${sql}`, params).map(({ detail }) => detail);
}

test('no statement of the store reads more rows than it needs, nor sorts them', async () => {
  const db = openDatabase(':memory:');
  const commit = new GroupCommit(db);
  const jobs = new SqliteJobs({ db, now: Date.now }, commit);
  await useEverything(jobs, sqliteDeliveries({ db, now: Date.now }, commit));
  const statements = db.statements.filter((sql) => /\b(jobs|idempotency_keys|batches|deliveries)\b/.test(sql));
  const plans = Object.fromEntries(statements.map((sql) => [sql, planOf(db, sql)]));
  expect(statements.length).toBeGreaterThanOrEqual(30);

  // The scans that are allowed walk the partial indexes of what is under way, of which there is never much.
  const allowed = ['SCAN jobs USING INDEX jobs_leased', 'SCAN deliveries USING INDEX deliveries_leased'];
  const isSlow = (line: string) =>
    /^SCAN (jobs|idempotency_keys|batches|deliveries)|TEMP B-TREE|AUTOMATIC/.test(line) && !allowed.includes(line);
  expect(Object.entries(plans).filter(([, plan]) => plan.some(isSlow))).toEqual([]);

  const lines = Object.values(plans).flat();
  expect(lines).toContain('SEARCH jobs USING COVERING INDEX jobs_claimable (lane=?)');
  expect(lines).toContain('SEARCH jobs USING COVERING INDEX jobs_due (lane=?)');
  expect(lines).toContain('SEARCH jobs USING INDEX jobs_leased (lease_expires_at<?)');
  expect(lines).toContain('SEARCH jobs USING COVERING INDEX jobs_finished (finished_at<?)');
  await jobs.close();
});
