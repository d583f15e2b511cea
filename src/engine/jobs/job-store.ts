import type { SerializedError } from '../errors.js';
import type { Lane, OutputFile } from '../operations/operation.js';
import type { Routing } from '../routing/routing.js';

export const jobStates = ['queued', 'running', 'completed', 'failed', 'cancelled'] as const;
export type JobState = (typeof jobStates)[number];

/** One stored input of a job: a field of the request and the blob that holds its bytes. */
export interface JobInput {
  field: string;
  /** Null: it is still to be fetched from `url`, by each attempt. */
  blob: string | null;
  /** Empty while nobody has seen it. */
  contentType: string;
  bytes: number;
  /** Where it was fetched from, or will be. */
  url?: string;
  /** What its sender calls it. */
  name?: string;
}

/** One stored output of a job. */
export interface JobOutput extends Omit<OutputFile, 'path'> {
  blob: string;
}

/** What a completed job says of itself beside its files. */
export interface JobResult {
  outputs: JobOutput[];
  /** The backend that did the work, for example the id of the model. */
  modelActual: string;
  /** What could not be honoured, in words. */
  warnings: string[];
  /** Execution provider, stage times and sizes, for the debug block. */
  facts: Record<string, unknown>;
}

/** A failure of one attempt, kept for the operator. */
export interface AttemptError extends SerializedError {
  attempt: number;
  at: number;
}

/** Where the end of a job, or of a batch, is to be told. */
export interface Webhook {
  url: string;
  /** Start of the URLs in its body: the address under which the submission was made. */
  baseUrl: string;
  /** What the caller verifies the signature with, sealed; null: nothing. */
  sealedSecret: string | null;
}

/** One row: the only shared truth about a job. Times are milliseconds since the epoch on the store's clock. */
export interface Job {
  id: string;
  operation: string;
  /** Who submitted it: the id of an API key, or `local`. */
  owner: string;
  lane: Lane;
  /** Higher runs first; 0 is usual. */
  priority: number;
  state: JobState;
  params: Record<string, unknown>;
  inputs: JobInput[];
  /** What was noticed at submission (unknown fields and the like). */
  warnings: string[];
  result: JobResult | null;
  /** The reason of the end, of a failed job. */
  error: SerializedError | null;
  /** One entry per failed attempt. */
  errors: AttemptError[];
  /** 0..1, of the running attempt. */
  progress: number;
  stage: string | null;
  /** Attempts begun and not given back. */
  attempt: number;
  maxAttempts: number;
  /** How often something outside ended the server or its host process in the middle of an attempt, which is given back. */
  interruptions: number;
  /** Fencing token: grows with every claim; a write with an old one changes nothing. */
  token: number;
  cancelRequested: boolean;
  /** How long one attempt may run. */
  timeoutMs: number;
  /** The batch that it is one of. */
  batch: string | null;
  webhook: Webhook | null;
  /** Whether a failure of the service that did the work is worth another try to the submitter. */
  autoRetry: boolean;
  /** What the router decided; null for a job that was not routed, or not yet. */
  routing: Routing | null;
  createdAt: number;
  /** Not claimed before; the order of jobs of the same priority. */
  runAt: number;
  /** When the current or last attempt began; null while the job is queued. */
  startedAt: number | null;
  finishedAt: number | null;
  leaseExpiresAt: number | null;
}

export interface NewJob
  extends Pick<Job, 'id' | 'operation' | 'owner' | 'lane' | 'params' | 'inputs' | 'warnings' | 'timeoutMs'> {
  priority?: number;
  /** Default 3. */
  maxAttempts?: number;
  /** Default: none. */
  webhook?: Webhook | null;
  /** Default false. */
  autoRetry?: boolean;
  /** What the router decided at the door. Default: nothing. */
  routing?: Routing | null;
}

/** One of the jobs of a new batch. */
export interface NewBatchItem {
  job: NewJob;
  /** Why it can't be done: the job is stored as failed at once, the others go on. */
  refusal?: SerializedError;
}

export interface NewBatch {
  id: string;
  operation: string;
  owner: string;
  items: NewBatchItem[];
  /** For the end of the whole; each job may have its own. Default: none. */
  webhook?: Webhook | null;
}

/** Jobs that were submitted together. Each runs and ends by itself; the batch has ended when all have. */
export interface Batch {
  id: string;
  operation: string;
  owner: string;
  webhook: Webhook | null;
  createdAt: number;
  finishedAt: number | null;
  /** In the order of submission. */
  jobs: Job[];
}

export interface InsertedBatch {
  batch: Batch;
  replayed: boolean;
}

export interface InsertOptions {
  idempotency?: IdempotencyKey;
  /** How many jobs may wait. */
  maxQueued?: number;
}

/** `contract.md` 1.16: the same key with the same fingerprint is the same job. */
export interface IdempotencyKey {
  key: string;
  /** Hash of everything that makes the request what it is: path, parameters, digests of its files. */
  fingerprint: string;
}

export interface Inserted {
  job: Job;
  /** True if the key was known and `job` is the one submitted before. */
  replayed: boolean;
}

/** The right to write to a claimed job. */
export interface Claim {
  id: string;
  token: number;
}

export interface QueueStats {
  /** Jobs per state; finished ones only as far as they are still kept. */
  states: Record<JobState, number>;
  /** Queued jobs per lane. */
  queued: Record<Lane, number>;
  /** Milliseconds since the oldest job that is due became due; 0 if none waits. */
  oldestAgeMs: number;
}

/**
 * The durable queue. Every method settles after its change is on disk (SQLite: committed with `synchronous=FULL`).
 * Whatever ends a job that has a webhook, or the last job of a batch that has one, stores the delivery that is owed in
 * the same transaction.
 * Every write of an attempt is guarded by its claim and returns false, changing nothing, if the attempt is no longer
 * the job's current one. A job whose cancellation was asked for is never put back: wherever it would be (`retryLater`,
 * `release`, `recover`, `sweep`) it ends as cancelled.
 */
export interface JobStore {
  /**
   * Stores a new job, or finds the one that the same idempotency key of the same owner made before.
   * Errors: `busy` if `maxQueued` jobs are queued already, `idempotency_key_reuse` if the fingerprint differs, `gone`
   * if the job that the key made was removed since, `storage_full`.
   */
  insert(job: NewJob, options?: InsertOptions): Promise<Inserted>;
  /** Stores a batch and all its jobs, or none of them. Errors: as `insert`; `busy` if they would be more than `maxQueued`. */
  insertBatch(batch: NewBatch, options?: InsertOptions): Promise<InsertedBatch>;
  /** The job that this key made, or null. Errors: `idempotency_key_reuse` and `gone`, as `insert`. */
  findReplay(owner: string, idempotency: IdempotencyKey): Promise<Job | null>;
  /** The batch that this key made, or null. Errors: as `findReplay`. */
  findBatchReplay(owner: string, idempotency: IdempotencyKey): Promise<Batch | null>;
  get(id: string): Promise<Job | null>;
  getBatch(id: string): Promise<Batch | null>;
  /** Claims up to `limit` due jobs of a lane, highest priority first, then oldest; each begins an attempt and a lease. */
  claim(lane: Lane, limit: number, leaseMs: number): Promise<Job[]>;
  /** Renews the leases; returns the claims that are lost, and the ids whose cancellation was requested. */
  renew(claims: Claim[], leaseMs: number): Promise<{ lost: Claim[]; cancelled: string[] }>;
  /** Coalesced by the caller to at most two a second. */
  progress(claim: Claim, progress: number, stage: string): Promise<boolean>;
  /** Replaces what is known of the job's routing; it stays when the job is put back. */
  route(claim: Claim, routing: Routing): Promise<boolean>;
  complete(claim: Claim, result: JobResult): Promise<boolean>;
  /** Ends the job as failed. */
  fail(claim: Claim, error: SerializedError): Promise<boolean>;
  /** Ends the job as cancelled. */
  acknowledgeCancel(claim: Claim): Promise<boolean>;
  /** Puts the job back with the error noted and not before `delayMs`; ends it as failed when its attempts are used up. */
  retryLater(claim: Claim, error: SerializedError, delayMs: number): Promise<boolean>;
  /**
   * Puts the job back since something outside ended its attempt: the attempt is given back and the interruption counted;
   * after 10 of them the job is failed as `crashed`.
   */
  interrupt(claim: Claim): Promise<boolean>;
  /** Puts the job back as if this attempt had not been. */
  release(claim: Claim): Promise<boolean>;
  /** Ends a queued job at once and asks a running one to stop; returns the job as it is now, null if unknown. */
  cancel(id: string): Promise<Job | null>;
  /** Cancels every job of a batch that has not ended; the batch as it is then, null if unknown. */
  cancelBatch(id: string): Promise<Batch | null>;
  /**
   * At start: gives back the attempts that a dead server left running, since its death was not their doing; one that
   * has been given back 10 times is failed as `crashed`. Returns the ids.
   */
  recover(): Promise<string[]>;
  /** Puts jobs with an expired lease back (or fails them when their attempts are used up); returns the ids. */
  sweep(): Promise<string[]>;
  /**
   * Removes jobs and batches that ended before, with their deliveries, and idempotency keys older than 24 h whose job
   * or batch has ended, some at a time; returns the number of jobs.
   */
  prune(endedBefore: number): Promise<number>;
  /** When the next queued job of the lane becomes due; null if none waits. */
  nextRunAt(lane: Lane): Promise<number | null>;
  stats(): Promise<QueueStats>;
  /**
   * The job now and after every change, until it has ended (that one is the last), the signal aborts or the store is
   * closed; nothing if there is no such job. Changes that come faster than they are taken are seen as one.
   */
  watch(id: string, signal?: AbortSignal): AsyncIterable<Job>;
  /** Whether a write would succeed now. */
  isWritable(): Promise<boolean>;
  close(): Promise<void>;
}

/** Whether the job has ended. */
export function hasEnded(job: Pick<Job, 'state'>): boolean {
  return job.state === 'completed' || job.state === 'failed' || job.state === 'cancelled';
}
