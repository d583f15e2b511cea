import { join } from 'node:path';
import type { Engine, EngineStatus, ListedModel, Meter, WebhookPresenter } from './api.js';
import { submitBatch } from './batch-submission.js';
import type { BlobStore } from './blobs/blob-store.js';
import { openDiskBlobs } from './blobs/disk-blobs.js';
import { megabyte } from './byte-size.js';
import { type Config, presetsFolder } from './config.js';
import { createDownloader, type Downloader } from './download.js';
import { EngineError } from './errors.js';
import { execute } from './executor.js';
import { hostSettings } from './host-settings.js';
import { keepHouse } from './housekeeping.js';
import { discard, type IntakeParts } from './intake.js';
import { openJobs } from './jobs/index.js';
import type { OutcomeStore } from './jobs/outcome-store.js';
import type { Batch, Job, JobStore } from './jobs/job-store.js';
import { type Log, silentLog } from './log.js';
import { operations as allOperations, modelNeeds } from './operations/index.js';
import type { Lane, Operation } from './operations/operation.js';
import { observeModels } from './observed-runner.js';
import { performer } from './perform.js';
import { receiveCallback } from './remote/callbacks.js';
import { listPresets } from './presets.js';
import { planRoute } from './routed.js';
import { Scheduler } from './scheduler.js';
import { openServices, type Services } from './services.js';
import { type ModelShelf, openShelf } from './shelf.js';
import { Speeds } from './speeds.js';
import { pickOperation, type SubmissionParts, submit } from './submission.js';
import { type SuperviseOptions, superviseHost } from './supervisor.js';
import type { TaskRunner } from './task.js';
import { emptyFolder, prepareFolders } from './work-folders.js';
import { openWebhooks, type Webhooks } from './webhooks/webhooks.js';

const dayMs = 86_400_000;
/** What is not delivered by then is so after the next start. */
const graceForReceiversMs = 2_000;

/** What the engine is made with beside its settings; the defaults are what the server runs. */
export interface EngineOptions {
  operations?: readonly Operation[];
  /** Default: a supervised host process. */
  runner?: TaskRunner;
  /** Folder of files in work and of the database; default: `DARKROOM_DATA`. */
  workFolder?: string;
  /** `:memory:` for work that nobody comes back for, such as one run of the command line. */
  database?: string;
  /** Where the probed device and layout are remembered; default: `DARKROOM_DATA`. */
  cacheFolder?: string;
  /** Whether pulled models are read in the background, so that damage shows early; default true. */
  readsPulledModels?: boolean;
  /** The words of webhooks; without them none are taken. */
  webhooks?: WebhookPresenter;
  meter?: Meter;
  log?: Log;
}

const silentMeter: Meter = {
  jobEnded() {},
  stage() {},
  leaseLost() {},
  hostRestarted() {},
  webhookAttempt() {},
  backendAttempt() {},
};

/** Everything the methods of the engine work with. */
interface Parts {
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

/**
 * Wires the whole engine, top to bottom. Errors: `busy` when another Darkroom uses the data folder, `model_unavailable`
 * for a lock file that can't be used.
 */
export async function createEngine(config: Config, options: EngineOptions = {}): Promise<Engine> {
  const { operations = allOperations, meter = silentMeter, log = silentLog } = options;
  const folders = await prepareFolders(options.workFolder ?? config.DARKROOM_DATA);
  const retentionMs = config.DARKROOM_RETENTION_DAYS * dayMs;
  const maxBytes = config.DARKROOM_MAX_UPLOAD_MB * megabyte;
  const shelf = await openShelf(config, { readsPulled: options.readsPulledModels ?? true });
  const { jobs, deliveries, keys, outcomes } = await openJobs({
    path: options.database ?? join(folders.root, 'darkroom.db'),
  });
  // Whoever holds the database is alone in the folder, so what lies in `work` belongs to nobody.
  await emptyFolder(folders.work);
  const { blobs, download } = await openFiles(config, folders.blobs);
  const sealFile = join(folders.root, 'seal.key');
  const webhooks =
    options.webhooks &&
    (await openWebhooks({ config, jobs, deliveries, present: options.webhooks, sealFile, meter, log }));
  // A run that nobody comes back for keeps no figures either.
  const speeds = new Speeds(options.database === ':memory:' ? null : join(folders.root, 'speeds.json'));
  const runner = observeModels(options.runner ?? superviseHost(hostOptions(config, options, meter, log)), {
    done: (result) => speeds.note(result),
    refused: ({ models }, { message }) => void shelf.suspect(Object.values(models), message),
  });
  const chooseModels = async ({ operation, params }: Job) => {
    return shelf.choose(modelNeeds(pickOperation(operations, operation), params));
  };
  const local = { runner, chooseModels };
  const services = openServices({ config, operations, jobs, outcomes, blobs, local, meter, log });
  const perform = performer(operations, { local, routed: services.routed });
  const executor = { jobs, blobs, folder: folders.work, perform, meter, log };
  const scheduler = new Scheduler({
    jobs,
    log,
    idleSlots: (lane) => idleSlots(lane, runner, config),
    execute: (job, attempt) => execute(job, executor, attempt),
  });
  runner.onIdle(() => scheduler.wake());
  await recover(jobs, log);
  const stopHousekeeping = keepHouse({ jobs, blobs, retentionMs, log });
  scheduler.start();
  await webhooks?.start();
  const parts = {
    config,
    operations,
    jobs,
    blobs,
    shelf,
    speeds,
    runner,
    scheduler,
    intake: { blobs, download, runner, maxBytes },
    webhooks: webhooks ?? null,
    services,
    outcomes,
  };
  return {
    ...methods(parts),
    operations,
    keys,
    deliveries,
    close: once((graceMs) => close(parts, stopHousekeeping, graceMs)),
  };
}

function methods(parts: Parts): Omit<Engine, 'operations' | 'keys' | 'deliveries' | 'close'> {
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

/** Where files are kept, and what fetches those that callers name. */
async function openFiles(config: Config, folder: string): Promise<{ blobs: BlobStore; download: Downloader }> {
  const retentionMs = config.DARKROOM_RETENTION_DAYS * dayMs;
  const minFreeBytes = config.DARKROOM_MIN_FREE_MB * megabyte;
  const download = createDownloader({
    allowHosts: config.DARKROOM_ALLOW_HOSTS,
    timeoutMs: config.DARKROOM_DOWNLOAD_SECONDS * 1000,
    maxBytes: config.DARKROOM_MAX_UPLOAD_MB * megabyte,
  });
  return { blobs: await openDiskBlobs({ folder, retentionMs, minFreeBytes }), download };
}

/** A remote job counts as one that has not been handed to the runner until it ends, so all its places are always idle. */
function idleSlots(lane: Lane, runner: TaskRunner, { DARKROOM_REMOTE_JOBS }: Config): number {
  return lane === 'remote' ? DARKROOM_REMOTE_JOBS : runner.idleSlots(lane);
}

async function receive(source: Parameters<Engine['receive']>[0], field: string, { config, jobs, blobs }: Parts) {
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

async function cancel(id: string, parts: Parts): Promise<Job> {
  const job = await parts.jobs.cancel(id);
  if (!job) return getJob(id, parts.jobs);
  await followCancel(job, parts);
  return job;
}

async function cancelBatch(id: string, parts: Parts): Promise<Batch> {
  const batch = await parts.jobs.cancelBatch(id);
  if (!batch) return unknownBatch(id);
  await Promise.all(batch.jobs.map((job) => followCancel(job, parts)));
  return batch;
}

/** What a cancelled row asks of the rest: a running attempt is stopped, pictures that nobody will look at go. */
async function followCancel({ id, state, inputs }: Job, { blobs, scheduler }: Parts): Promise<void> {
  if (state === 'running') scheduler.cancel(id);
  else if (state === 'cancelled') await discard(inputs, blobs);
}

function unknownBatch(id: string): never {
  throw new EngineError('not_found', `No batch ${id}; it may be past its retention`, { param: 'id' });
}

async function listModels({ shelf, speeds, runner }: Parts): Promise<ListedModel[]> {
  const device = runner.facts()?.device ?? null;
  return shelf.statuses().map((model) => ({ ...model, device, speed: speeds.of(model.id, device) }));
}

async function status({ config, jobs, blobs, shelf, runner, scheduler }: Parts): Promise<EngineStatus> {
  const problems = shelf.problems();
  if (!runner.facts()) problems.push('The host process that runs models is starting');
  if (scheduler.isDraining) problems.push('The server is stopping');
  if (!(await jobs.isWritable())) problems.push('The database cannot be written; check the disk of DARKROOM_DATA');
  await blobs.checkSpace().catch((error: Error) => problems.push(error.message));
  const queue = await jobs.stats();
  if (queue.states.queued >= config.DARKROOM_MAX_QUEUE) problems.push('The queue is full');
  return { host: runner.facts(), problems, warnings: shelf.warnings(), draining: scheduler.isDraining, queue };
}

async function close(
  { scheduler, runner, jobs, webhooks, shelf, speeds, services, config }: Parts,
  stopHousekeeping: () => Promise<void>,
  graceMs?: number,
): Promise<void> {
  scheduler.drain();
  services.drain();
  await scheduler.stop(graceMs ?? config.DARKROOM_GRACE_SECONDS * 1000);
  await stopHousekeeping();
  await runner.close();
  await shelf.close();
  await scheduler.idle();
  speeds.write();
  await services.close();
  await webhooks?.close(graceForReceiversMs);
  await jobs.close();
}

async function recover(jobs: JobStore, log: Log): Promise<void> {
  const recovered = await jobs.recover();
  if (recovered.length > 0)
    log.warn({ jobs: recovered }, 'the server ended in the middle of these jobs; they are back in the queue');
}

function hostOptions(config: Config, { cacheFolder }: EngineOptions, meter: Meter, log: Log): SuperviseOptions {
  return {
    settings: { ...hostSettings(config), measurementsFile: join(cacheFolder ?? config.DARKROOM_DATA, 'machine.json') },
    onRestart: (reason) => {
      meter.hostRestarted();
      log.warn({ reason }, 'the host process was replaced');
    },
  };
}

/** A second call awaits the first. */
function once(action: (graceMs?: number) => Promise<void>): (graceMs?: number) => Promise<void> {
  let running: Promise<void> | null = null;
  return (graceMs) => {
    running ??= action(graceMs);
    return running;
  };
}
