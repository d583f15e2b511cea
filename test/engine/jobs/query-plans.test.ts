import { type Db, openDatabase } from '#src/engine/jobs/db.js';
import { GroupCommit } from '#src/engine/jobs/group-commit.js';
import type { Job } from '#src/engine/jobs/job-store.js';
import { SqliteJobs } from '#src/engine/jobs/sqlite-jobs.js';
import { expect, test } from 'vitest';
import { newJob } from './new-job.js';

const error = { code: 'internal' as const, message: 'Internal error', details: {} };

/** Uses every statement of the store at least once. */
async function useEverything(jobs: SqliteJobs): Promise<void> {
  const idempotency = { key: 'k', fingerprint: 'f' };
  await jobs.insert(newJob('a'), { idempotency, maxQueued: 10 });
  await jobs.insert(newJob('b'), { idempotency });
  const [claimed] = await jobs.claim('device', 1, 1000);
  await jobs.renew([claimed as Job], 1000);
  await jobs.progress(claimed as Job, 0.5, 'infer');
  await jobs.cancel('a');
  await jobs.recover();
  await jobs.insert(newJob('c'));
  const [retried] = await jobs.claim('device', 1, 0);
  await jobs.retryLater(retried as Job, error, 0);
  await jobs.sweep();
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
  const jobs = new SqliteJobs({ db, now: Date.now }, new GroupCommit(db));
  await useEverything(jobs);
  const statements = db.statements.filter((sql) => /\b(jobs|idempotency_keys)\b/.test(sql));
  const plans = Object.fromEntries(statements.map((sql) => [sql, planOf(db, sql)]));
  expect(statements.length).toBeGreaterThanOrEqual(15);

  // The one scan that is allowed walks the partial index of the running jobs, of which there are never many.
  const allowed = 'SCAN jobs USING INDEX jobs_leased';
  const isSlow = (line: string) => /^SCAN (jobs|idempotency_keys)|TEMP B-TREE|AUTOMATIC/.test(line) && line !== allowed;
  expect(Object.entries(plans).filter(([, plan]) => plan.some(isSlow))).toEqual([]);

  const lines = Object.values(plans).flat();
  expect(lines).toContain('SEARCH jobs USING COVERING INDEX jobs_claimable (lane=?)');
  expect(lines).toContain('SEARCH jobs USING COVERING INDEX jobs_due (lane=?)');
  expect(lines).toContain('SEARCH jobs USING INDEX jobs_leased (lease_expires_at<?)');
  expect(lines).toContain('SEARCH jobs USING COVERING INDEX jobs_finished (finished_at<?)');
  await jobs.close();
});
