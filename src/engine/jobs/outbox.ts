import type { Delivery } from './delivery-store.js';
import type { Webhook } from './job-store.js';
import type { JobTable } from './rows.js';

/** What has ended and whom to tell. */
interface Ended extends Pick<Delivery, 'kind' | 'subject' | 'owner' | 'operation' | 'status'> {
  /** As its row has it: JSON. */
  webhook: string;
}

const oweSql = `
  INSERT INTO deliveries (id, job_id, batch_id, owner, operation, status, url, host, due_at, created_at)
  VALUES (@id, @job, @batch, @owner, @operation, @status, @url, @host, @at, @at)
  ON CONFLICT (id) DO NOTHING`;

/** Stores that the end of a job or batch is to be delivered, once for each end, in the transaction that ends it. */
export function owe(table: JobTable, { kind, subject, webhook, owner, operation, status }: Ended): void {
  const { url } = JSON.parse(webhook) as Webhook;
  table.db.run(oweSql, {
    id: `whd_${subject}_${status}`,
    job: kind === 'job' ? subject : null,
    batch: kind === 'batch' ? subject : null,
    owner,
    operation,
    status,
    url,
    host: new URL(url).host,
    at: table.now(),
  });
  table.onOwed?.();
}
