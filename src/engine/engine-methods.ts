import type { Engine, EngineStatus, ListedModel } from './api.js';
import { submitBatch } from './submissions/batch-submission.js';
import type { BlobStore } from './blobs/blob-store.js';
import { megabyte } from './byte-size.js';
import { type Config, presetsFolder } from './config.js';
import { EngineError } from './errors.js';
import { discard, type IntakeParts } from './submissions/intake.js';
import type { OutcomeStore } from './jobs/outcome-store.js';
import type { Batch, Job, JobStore } from './jobs/job-store.js';
import type { Operation } from './operations/operation.js';
import { listPresets } from './submissions/presets.js';
import { receiveCallback } from './remote/callbacks.js';
import { planRoute } from './routing/routed.js';
import type { Scheduler } from './scheduler.js';
import type { Services } from './services.js';
import type { ModelShelf } from './shelf.js';
import type { Speeds } from './speeds.js';
import { type SubmissionParts, submit } from './submissions/submission.js';
import type { TaskRunner } from './task.js';
import type { Webhooks } from './webhooks/webhooks.js';

/** Everything the methods of the engine work with. */
export interface EngineParts {
  config: Config;
  operations: readonly Operation[];
  jobs: JobStore;
  blobs: BlobStore;
  shelf: ModelShelf;
  speeds: Speeds;
  runner: TaskRunner;
  scheduler: Scheduler;
  intake: IntakeParts;
  webhooks: Webhooks | null;
  services: Services;
  outcomes: OutcomeStore;
}

/** What callers can ask of the engine: each method is one line here, its errors are those that `Engine` names. */
export function engineMethods(parts: EngineParts): Omit<Engine, 'operations' | 'keys' | 'deliveries' | 'close'> {
  const { config, jobs, blobs, runner, scheduler, services, outcomes } = parts;
  const submitting: SubmissionParts = {
    presets: presetsFolder(config),
    ...parts,
    maxQueued: config.DARKROOM_MAX_QUEUE,
    timeoutMs: config.DARKROOM_JOB_SECONDS * 1000,
    wake: (lane) => scheduler.wake(lane),
    laneOf: services.laneOf,
    planRoute: (operation, params, inputs) => planRoute(operation, params, { inputs, parts: services.routed }),
  };
  return {
    receive: (source, field) => receive(source, field, parts),
    discard: (files) => discard(files, blobs),
    submit: (submission) => submit(submission, submitting),
    submitBatch: (submission) => submitBatch(submission, submitting),
    getBatch: async (id) => (await jobs.getBatch(id)) ?? unknownBatch(id),
    cancelBatch: (id) => cancelBatch(id, parts),
    get: (id) => getJob(id, jobs),
    cancel: (id) => cancel(id, parts),
    watch: (id, signal) => watch(id, jobs, signal),
    statOutput: (id) => blobs.stat(id),
    readOutput: (id, range) => blobs.read(id, range),
    removeOutput: (id) => blobs.remove(id),
    presets: () => listPresets(presetsFolder(config)),
    models: async () => listModels(parts),
    backends: () => services.routed.fleet.statuses(),
    callBack: (call) => receiveCallback(call, services.callbacks),
    rate: (id, rating) => outcomes.rate(id, rating),
    status: () => status(parts),
    ready: () => runner.ready(),
    drain: () => scheduler.drain(),
  };
}

async function receive(source: Parameters<Engine['receive']>[0], field: string, { config, jobs, blobs }: EngineParts) {
  const { states } = await jobs.stats();
  if (states.queued >= config.DARKROOM_MAX_QUEUE) {
    throw new EngineError('busy', `The queue is full (${config.DARKROOM_MAX_QUEUE} jobs wait); try again later`, {
      retryAfterSeconds: 5,
    });
  }
  const maxBytes = config.DARKROOM_MAX_UPLOAD_MB * megabyte;
  const { id, bytes, sha256 } = await blobs.put(source, { extension: 'bin', maxBytes, param: field });
  return { field, blob: id, bytes, sha256 };
}

/** Like `jobs.watch`, but a job that does not exist is an error rather than an empty sequence. */
async function* watch(id: string, jobs: JobStore, signal?: AbortSignal): AsyncGenerator<Job> {
  await getJob(id, jobs);
  yield* jobs.watch(id, signal);
}

async function getJob(id: string, jobs: JobStore): Promise<Job> {
  const job = await jobs.get(id);
  if (!job) throw new EngineError('not_found', `No job ${id}; it may be past its retention`, { param: 'id' });
  return job;
}

async function cancel(id: string, parts: EngineParts): Promise<Job> {
  const job = await parts.jobs.cancel(id);
  if (!job) return getJob(id, parts.jobs);
  await followCancel(job, parts);
  return job;
}

async function cancelBatch(id: string, parts: EngineParts): Promise<Batch> {
  const batch = await parts.jobs.cancelBatch(id);
  if (!batch) return unknownBatch(id);
  await Promise.all(batch.jobs.map((job) => followCancel(job, parts)));
  return batch;
}

/** What a cancelled row asks of the rest: a running attempt is stopped, pictures that nobody will look at go. */
async function followCancel({ id, state, inputs }: Job, { blobs, scheduler }: EngineParts): Promise<void> {
  if (state === 'running') scheduler.cancel(id);
  else if (state === 'cancelled') await discard(inputs, blobs);
}

function unknownBatch(id: string): never {
  throw new EngineError('not_found', `No batch ${id}; it may be past its retention`, { param: 'id' });
}

async function listModels({ shelf, speeds, runner }: EngineParts): Promise<ListedModel[]> {
  const device = runner.facts()?.device ?? null;
  return shelf.statuses().map((model) => ({ ...model, device, speed: speeds.of(model.id, device) }));
}

async function status({ config, jobs, blobs, shelf, runner, scheduler }: EngineParts): Promise<EngineStatus> {
  const problems = shelf.problems();
  if (!runner.facts()) problems.push('The host process that runs models is starting');
  if (scheduler.isDraining) problems.push('The server is stopping');
  if (!(await jobs.isWritable())) problems.push('The database cannot be written; check the disk of DARKROOM_DATA');
  await blobs.checkSpace().catch((error: Error) => problems.push(error.message));
  const queue = await jobs.stats();
  if (queue.states.queued >= config.DARKROOM_MAX_QUEUE) problems.push('The queue is full');
  return { host: runner.facts(), problems, warnings: shelf.warnings(), draining: scheduler.isDraining, queue };
}
