import { join } from 'node:path';
import type { Engine, Meter, WebhookPresenter } from './api.js';
import type { BlobStore } from './blobs/blob-store.js';
import { openDiskBlobs } from './blobs/disk-blobs.js';
import { megabyte } from './byte-size.js';
import type { Config } from './config.js';
import { createDownloader, type Downloader } from './downloads/download.js';
import { type EngineParts, engineMethods } from './engine-methods.js';
import { execute } from './executor.js';
import { hostSettings } from './host/host-settings.js';
import { keepHouse } from './housekeeping.js';
import { openJobs } from './jobs/index.js';
import type { Job, JobStore } from './jobs/job-store.js';
import { type Log, silentLog } from './log.js';
import { operations as allOperations, modelNeeds } from './operations/index.js';
import type { Lane, Operation } from './operations/operation.js';
import { observeModels } from './observed-runner.js';
import { performer } from './perform.js';
import { Scheduler } from './scheduler.js';
import { openServices } from './services.js';
import { openShelf } from './shelf.js';
import { Speeds } from './speeds.js';
import { pickOperation } from './submissions/submission.js';
import { type SuperviseOptions, superviseHost } from './host/supervisor.js';
import type { TaskRunner } from './task.js';
import { emptyFolder, prepareFolders } from './work-folders.js';
import { openWebhooks } from './webhooks/webhooks.js';

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
  const executor = { jobs, blobs, download, runner, folder: folders.work, perform, meter, log };
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
  const parts: EngineParts = {
    config,
    operations,
    jobs,
    blobs,
    shelf,
    speeds,
    runner,
    scheduler,
    intake: { blobs, download, runner, maxBytes, patienceMs: config.DARKROOM_PATIENCE_SECONDS * 1000 },
    webhooks: webhooks ?? null,
    services,
    outcomes,
  };
  return {
    ...engineMethods(parts),
    operations,
    keys,
    deliveries,
    close: once((graceMs) => close(parts, stopHousekeeping, graceMs)),
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

async function close(
  { scheduler, runner, jobs, webhooks, shelf, speeds, services, config }: EngineParts,
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
