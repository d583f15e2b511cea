import type { Readable } from 'node:stream';
import type { BlobFacts } from './blobs/blob-store.js';
import type { EngineError } from './errors.js';
import type { BackendStatus } from './routing/fleet.js';
import type { DeliveryStore } from './jobs/delivery-store.js';
import type { Batch, Job, QueueStats } from './jobs/job-store.js';
import type { KeyStore } from './jobs/key-store.js';
import type { ModelStatus } from '../models/model.js';
import type { Operation } from './operations/operation.js';
import type { Speed } from './speeds.js';
import type { ServiceCall } from './remote/callbacks.js';
import type { Preset } from './submissions/presets.js';
import type { HostFacts } from './task.js';

export type { BackendStatus };
export { type Delivery, type DeliveryState, deliveryStates } from './jobs/delivery-store.js';
export { debugBlock } from './routing/routing.js';
export type { ModelStatus, Preset };

/** A model as it is listed: what it is, and how it does on this machine. */
export interface ListedModel extends ModelStatus {
  /** The execution provider that it would run on; null while that is not known. */
  device: string | null;
  /** Null if it never ran here, on this device and without others beside it. */
  speed: Speed | null;
}

/** A file that came with a request and is stored, not yet looked into. */
export interface ReceivedFile {
  field: string;
  /** What its sender calls it. */
  name?: string;
  blob: string;
  bytes: number;
  sha256: string;
}

/** A picture by address: https, a data URI, or an output of our own. */
export interface LinkedFile {
  field: string;
  url: string;
}

export interface Submission {
  operation: string;
  /** The id of an API key, or `local`. */
  owner: string;
  /** As sent: strings from a form, values from JSON. Unknown ones are reported in the job's `warnings`. */
  params: Record<string, unknown>;
  inputs: (ReceivedFile | LinkedFile)[];
  idempotencyKey?: string | undefined;
  /** Higher runs first; default 0. */
  priority?: number;
  /** Base URLs under which our own `/output/…` is asked for. */
  ownBases?: string[];
  webhook?: WebhookRequest | undefined;
  /** Whether the job is worth another try when the service that did it fails. Default false. */
  autoRetry?: boolean;
}

/** Whom to tell of the end of a job, as its caller says it. */
export interface WebhookRequest {
  url: string;
  /** Start of the URLs in the body. */
  baseUrl: string;
  /** What the caller can verify the signature with, unless the operator has set a secret; null: nothing. */
  secret: string | null;
}

/** What a webhook says. */
export interface WebhookMessage {
  /** `video.generation.completed` and the like. */
  event: string;
  body: object;
}

/** The words for an ended job or batch; URLs begin with `baseUrl`. */
export interface WebhookPresenter {
  job(job: Job, baseUrl: string): WebhookMessage;
  batch(batch: Batch, baseUrl: string): WebhookMessage;
}

export interface Submitted {
  job: Job;
  /** True if the idempotency key was known: `job` is the one made before. */
  replayed: boolean;
}

/** One job of a batch: what was sent for it, or why that can't be read. */
export interface BatchItem extends Pick<Submission, 'params' | 'inputs' | 'webhook' | 'autoRetry'> {
  refusal?: EngineError;
}

/** Jobs of one operation that are submitted together. */
export interface BatchSubmission extends Omit<Submission, keyof BatchItem> {
  items: BatchItem[];
  /** For the end of the whole. */
  webhook?: WebhookRequest | undefined;
  /** Name of the list in the request, for messages: `prompts`. */
  param: string;
}

export interface SubmittedBatch {
  batch: Batch;
  replayed: boolean;
}

export interface EngineStatus {
  /** Null while the host process starts. */
  host: HostFacts | null;
  /** Why new work would not succeed now, one sentence each; empty when ready. */
  problems: string[];
  /** What is wrong and keeps no work from being done: models in the data folder that can't be used. */
  warnings: string[];
  draining: boolean;
  queue: QueueStats;
}

/** What the engine counts and times, for the operator; each method is called once per event. */
export interface Meter {
  jobEnded(operation: string, state: string, waitMs: number, runMs: number): void;
  stage(stage: string, ms: number): void;
  leaseLost(): void;
  hostRestarted(): void;
  webhookAttempt(outcome: 'delivered' | 'gone' | 'failed'): void;
  /** `outcome`: `done`, or the kind of the failure. */
  backendAttempt(backend: { provider: string; model: string }, outcome: string, ms: number): void;
}

/** The whole program without its surfaces: the server and the command line are thin layers over this. */
export interface Engine {
  readonly operations: readonly Operation[];
  /** Stores an uploaded file. Errors: `too_large`, `storage_full`, `busy` (the queue is full: said before a byte is read). */
  receive(source: Readable, field: string): Promise<ReceivedFile>;
  /** Removes files that no submission took over. */
  discard(files: ReceivedFile[]): Promise<void>;
  /**
   * Checks params and pictures and stores the job; when this resolves the job is durable. Takes over the received
   * files: they are removed when it rejects.
   * Errors: `invalid_input`, `too_large`, `unsupported`, `not_found`, `gone`, `busy`, `storage_full`,
   * `model_unavailable`, `idempotency_key_reuse`.
   */
  submit(submission: Submission): Promise<Submitted>;
  /**
   * Stores a batch and its jobs at once. What is wrong with one item makes that job a failed one and stops no other;
   * only what concerns all of them, or is wrong with each, refuses the batch. Takes over the received files.
   * Errors: as `submit`.
   */
  submitBatch(submission: BatchSubmission): Promise<SubmittedBatch>;
  /** Errors: `not_found`. */
  getBatch(id: string): Promise<Batch>;
  /** Cancels what of it has not ended. Errors: `not_found`. */
  cancelBatch(id: string): Promise<Batch>;
  /** Errors: `not_found`. */
  get(id: string): Promise<Job>;
  /** Errors: `not_found`. The job as it is after the request; a running job ends soon after. */
  cancel(id: string): Promise<Job>;
  /** The job now and after every change, its end last. Errors: `not_found`. */
  watch(id: string, signal?: AbortSignal): AsyncIterable<Job>;
  /** Facts of a stored output. Errors: `not_found`, `gone`. */
  statOutput(id: string): Promise<BlobFacts>;
  /** Bytes of a stored output, both ends inclusive. Errors: `not_found`, `gone`. */
  readOutput(id: string, range?: { start: number; end: number }): Promise<Readable>;
  /** Removes a stored output before its time. */
  removeOutput(id: string): Promise<void>;
  /** Params under names, which a request can ask for by `preset`. */
  presets(): Preset[];
  models(): Promise<ListedModel[]>;
  /** Every backend of the router and how it stands. */
  backends(): Promise<BackendStatus[]>;
  /** Takes a call of a remote service about one of its jobs. Errors: `not_found`, `unauthorized`. */
  callBack(call: ServiceCall): Promise<void>;
  /** What the user thinks of the result of a job, 0..1; false if no backend's success is known for it. */
  rate(id: string, rating: number): Promise<boolean>;
  readonly keys: KeyStore;
  /** The log of webhooks. */
  readonly deliveries: Pick<DeliveryStore, 'get' | 'list' | 'redeliver'>;
  status(): Promise<EngineStatus>;
  /** Resolves when jobs can run; rejects when they can't with these settings (say, `DARKROOM_REQUIRE_GPU` without one). */
  ready(): Promise<HostFacts>;
  /** From now on `status().draining` is true and nothing new is claimed. */
  drain(): void;
  /** Drains, lets running jobs finish for `graceMs`, gives the rest back to the queue, ends the host and closes the store. */
  close(graceMs?: number): Promise<void>;
}
