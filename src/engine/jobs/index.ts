import { openDatabase } from './db.js';
import type { DeliveryStore } from './delivery-store.js';
import { GroupCommit } from './group-commit.js';
import type { JobStore } from './job-store.js';
import type { KeyStore } from './key-store.js';
import type { OutcomeStore } from './outcome-store.js';
import type { JobTable } from './rows.js';
import { sqliteDeliveries } from './sqlite-deliveries.js';
import { SqliteJobs } from './sqlite-jobs.js';
import { randomToken, sqliteKeys } from './sqlite-keys.js';
import { sqliteOutcomes } from './sqlite-outcomes.js';

export interface JobsOptions {
  /** The database file; its folder is made. `:memory:` keeps nothing, for a command line that runs its jobs at once. */
  path: string;
  /** Milliseconds since the epoch, whole. */
  now?: () => number;
  /** 256 random bits as base64url, for API keys. */
  newToken?: () => string;
}

/**
 * The durable queue, its outbox and the API keys, all in one database that closes with the queue.
 * Errors: `busy` (another process has it open), `unsupported` (a newer version wrote it), `storage_full`, `internal`.
 */
export async function openJobs({
  path,
  now = Date.now,
  newToken = randomToken,
}: JobsOptions): Promise<{ jobs: JobStore; deliveries: DeliveryStore; keys: KeyStore; outcomes: OutcomeStore }> {
  const db = openDatabase(path, now);
  const commit = new GroupCommit(db);
  const table: JobTable = { db, now };
  const deliveries = sqliteDeliveries(table, commit);
  const jobs = new SqliteJobs({ ...table, onOwed: () => deliveries.ring() }, commit);
  return { jobs, deliveries, keys: sqliteKeys(table, commit, newToken), outcomes: sqliteOutcomes(table, commit) };
}
