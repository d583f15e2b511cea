import type { SerializedError } from '../errors.js';
import type { Lane } from '../operations/operation.js';
import type { Routing } from '../routing/routing.js';
import { claimJobs, noteProgress, noteRouting, renewLeases } from './attempts.js';
import { findNextRunAt, readStats } from './census.js';
import { readBatch } from './batches.js';
import { cancelBatch, cancelJob, type Ending, endClaimed } from './endings.js';
import type { GroupCommit } from './group-commit.js';
import type {
  Batch,
  Claim,
  IdempotencyKey,
  Inserted,
  InsertedBatch,
  InsertOptions,
  Job,
  JobResult,
  JobStore,
  NewBatch,
  NewJob,
  QueueStats,
} from './job-store.js';
import { pruneBatches, pruneIdempotencyKeys, pruneJobs } from './pruning.js';
import { interruptJob, recoverJobs, releaseJob, retryJobLater, sweepJobs } from './returns.js';
import { type JobTable, readJob } from './rows.js';
import { findBatchReplay, findReplay, insertBatch, insertJob } from './submissions.js';
import { JobWatch } from './watch.js';

/** The JobStore over one SQLite file: reads go straight to it, writes through the group commit, news to the watchers. */
export class SqliteJobs implements JobStore {
  readonly #table: JobTable;
  readonly #commit: GroupCommit;
  readonly #watch: JobWatch;

  constructor(table: JobTable, commit: GroupCommit) {
    this.#table = table;
    this.#commit = commit;
    this.#watch = new JobWatch((id) => readJob(table, id));
  }

  insert(job: NewJob, options: InsertOptions = {}): Promise<Inserted> {
    return this.#commit.write(() => insertJob(this.#table, job, options));
  }

  insertBatch(batch: NewBatch, options: InsertOptions = {}): Promise<InsertedBatch> {
    return this.#commit.write(() => insertBatch(this.#table, batch, options));
  }

  async findReplay(owner: string, idempotency: IdempotencyKey): Promise<Job | null> {
    return findReplay(this.#table, owner, idempotency);
  }

  async findBatchReplay(owner: string, idempotency: IdempotencyKey): Promise<Batch | null> {
    return findBatchReplay(this.#table, owner, idempotency);
  }

  async get(id: string): Promise<Job | null> {
    return readJob(this.#table, id);
  }

  async getBatch(id: string): Promise<Batch | null> {
    return readBatch(this.#table, id);
  }

  async claim(lane: Lane, limit: number, leaseMs: number): Promise<Job[]> {
    const jobs = await this.#commit.write(() => claimJobs(this.#table, lane, { limit, leaseMs }));
    this.#watch.announce(jobs.map(({ id }) => id));
    return jobs;
  }

  renew(claims: Claim[], leaseMs: number): Promise<{ lost: Claim[]; cancelled: string[] }> {
    return this.#commit.write(() => renewLeases(this.#table, claims, leaseMs));
  }

  progress(claim: Claim, progress: number, stage: string): Promise<boolean> {
    return this.#change(claim, () => noteProgress(this.#table, claim, { progress, stage }));
  }

  route(claim: Claim, routing: Routing): Promise<boolean> {
    return this.#change(claim, () => noteRouting(this.#table, claim, routing));
  }

  complete(claim: Claim, result: JobResult): Promise<boolean> {
    return this.#end(claim, { state: 'completed', result });
  }

  fail(claim: Claim, error: SerializedError): Promise<boolean> {
    return this.#end(claim, { state: 'failed', error });
  }

  acknowledgeCancel(claim: Claim): Promise<boolean> {
    return this.#end(claim, { state: 'cancelled' });
  }

  retryLater(claim: Claim, error: SerializedError, delayMs: number): Promise<boolean> {
    return this.#change(claim, () => retryJobLater(this.#table, claim, { error, delayMs }));
  }

  interrupt(claim: Claim): Promise<boolean> {
    return this.#change(claim, () => interruptJob(this.#table, claim));
  }

  release(claim: Claim): Promise<boolean> {
    return this.#change(claim, () => releaseJob(this.#table, claim));
  }

  async cancel(id: string): Promise<Job | null> {
    const job = await this.#commit.write(() => cancelJob(this.#table, id));
    this.#watch.announce([id]);
    return job;
  }

  async cancelBatch(id: string): Promise<Batch | null> {
    const batch = await this.#commit.write(() => cancelBatch(this.#table, id));
    this.#watch.announce(batch?.jobs.map((job) => job.id) ?? []);
    return batch;
  }

  recover(): Promise<string[]> {
    return this.#changeMany(() => recoverJobs(this.#table));
  }

  sweep(): Promise<string[]> {
    return this.#changeMany(() => sweepJobs(this.#table));
  }

  async prune(endedBefore: number): Promise<number> {
    const jobs = await this.#repeat(() => pruneJobs(this.#table, endedBefore));
    await this.#repeat(() => pruneBatches(this.#table, endedBefore));
    await this.#repeat(() => pruneIdempotencyKeys(this.#table));
    return jobs;
  }

  async nextRunAt(lane: Lane): Promise<number | null> {
    return findNextRunAt(this.#table, lane);
  }

  async stats(): Promise<QueueStats> {
    return readStats(this.#table);
  }

  watch(id: string, signal?: AbortSignal): AsyncIterable<Job> {
    return this.#watch.watch(id, signal);
  }

  async isWritable(): Promise<boolean> {
    try {
      await this.#commit.write(() => probe(this.#table));
      return true;
    } catch {
      return false;
    }
  }

  async close(): Promise<void> {
    this.#watch.close();
    this.#commit.flush();
    this.#table.db.close();
  }

  #end(claim: Claim, ending: Ending): Promise<boolean> {
    return this.#change(claim, () => endClaimed(this.#table, claim, ending));
  }

  async #change(claim: Claim, work: () => boolean): Promise<boolean> {
    const changed = await this.#commit.write(work);
    if (changed) this.#watch.announce([claim.id]);
    return changed;
  }

  async #changeMany(work: () => string[]): Promise<string[]> {
    const ids = await this.#commit.write(work);
    this.#watch.announce(ids);
    return ids;
  }

  /** One commit after another until nothing is left to do, so that other writes get their turn; returns the sum. */
  async #repeat(work: () => number): Promise<number> {
    let total = 0;
    for (;;) {
      const count = await this.#commit.write(work);
      if (count === 0) return total;
      total += count;
    }
  }
}

/** Takes new pages and gives them back: on a full disk the change of a row that is there may still succeed. */
function probe({ db }: JobTable): void {
  db.run('INSERT INTO write_probes (filler) VALUES (zeroblob(8192))');
  db.run('DELETE FROM write_probes');
}
