import type { Batch } from './job-store.js';
import { owe } from './outbox.js';
import { type JobRow, type JobTable, toJob } from './rows.js';

type BatchRow = {
  id: string;
  operation: string;
  owner: string;
  webhook: string | null;
  created_at: number;
  finished_at: number | null;
};

/** The batch with all its jobs, or null. */
export function readBatch({ db }: JobTable, id: string): Batch | null {
  const row = db.get<BatchRow>('SELECT * FROM batches WHERE id = @id', { id });
  if (!row) return null;
  return {
    id: row.id,
    operation: row.operation,
    owner: row.owner,
    webhook: row.webhook === null ? null : JSON.parse(row.webhook),
    createdAt: row.created_at,
    finishedAt: row.finished_at,
    jobs: db.all<JobRow>('SELECT * FROM jobs WHERE batch_id = @id ORDER BY seq', { id }).map(toJob),
  };
}

/** The ids of the jobs of a batch that have not ended. */
export function findOpenJobs({ db }: JobTable, id: string): string[] {
  const rows = db.all<{ id: string }>('SELECT id FROM jobs WHERE batch_id = @id AND finished_at IS NULL', { id });
  return rows.map((row) => row.id);
}

const closeSql = `
  UPDATE batches SET finished_at = @at
  WHERE id = @id AND finished_at IS NULL
    AND NOT EXISTS (SELECT 1 FROM jobs WHERE batch_id = @id AND finished_at IS NULL)
  RETURNING *`;

/** Ends a batch with the last of its jobs. It has failed if all of them have. */
export function closeBatch(table: JobTable, id: string): void {
  const [row] = table.db.all<BatchRow>(closeSql, { id, at: table.now() });
  if (!row || row.webhook === null) return;
  const completed = table.db.get(`SELECT 1 FROM jobs WHERE batch_id = @id AND state = 'completed' LIMIT 1`, { id });
  const { owner, operation, webhook } = row;
  owe(table, { kind: 'batch', subject: id, owner, operation, status: completed ? 'completed' : 'failed', webhook });
}
