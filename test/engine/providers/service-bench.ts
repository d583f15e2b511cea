import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Backend, BackendRun, Made } from '#src/engine/routing/backend.js';
import { openDiskBlobs } from '#src/engine/blobs/disk-blobs.js';
import { createDownloader } from '#src/engine/downloads/download.js';
import { HealthBook } from '#src/engine/routing/health.js';
import { openJobs } from '#src/engine/jobs/index.js';
import type { Job, JobStore } from '#src/engine/jobs/job-store.js';
import { silentLog } from '#src/engine/log.js';
import type { ImageOrder, Order, PictureRole, VideoOrder } from '#src/engine/routing/order.js';
import type { Credential, Provider } from '#src/engine/providers/provider.js';
import { createApiDispatcher } from '#src/engine/providers/http.js';
import { Bells } from '#src/engine/remote/bells.js';
import { remoteBackend } from '#src/engine/remote/remote-backend.js';
import { RoutingRecord } from '#src/engine/remote/routing-record.js';
import type { RemoteService } from '#src/engine/remote/service.js';
import { FakeService, type FakeOptions } from '../../fakes/fake-service.js';
import { fakeKey, type Wire } from '../../fakes/wire.js';
import { tempFolder } from '../../helpers/temp-folder.js';
import { newJob } from '../jobs/new-job.js';

export const photo = join(import.meta.dirname, '../../fixtures/photo.jpg');

export const videoOrder: VideoOrder = {
  kind: 'video',
  prompt: 'A ring turns on a stone',
  negativePrompt: null,
  duration: 5,
  ratio: null,
  resolution: '720p',
  shots: [],
  isDirected: false,
  sound: false,
  camera: null,
  seed: null,
  cfgScale: null,
  localOnly: [],
  pictures: [],
};

export const imageOrder: ImageOrder = {
  kind: 'image',
  prompt: 'A ring on a stone',
  negativePrompt: null,
  size: null,
  count: 1,
  quality: null,
  isTransparent: false,
  format: 'png',
  seed: null,
  pictures: [],
};

/** The order with the photograph of the fixtures in each of these roles. */
export function withPictures<Some extends Order>(order: Some, roles: readonly PictureRole[]): Some {
  return { ...order, pictures: roles.map((role, input) => ({ role, input })) };
}

export interface BenchOptions {
  provider: Provider;
  wire: Wire;
  fake?: FakeOptions;
  credentials?: Credential[];
  publicBaseUrl?: string | null;
  now?: () => number;
}

/** One service, its fake, and the store in which its submissions are noted: everything real but the service. */
export interface ServiceBench {
  fake: FakeService;
  service: RemoteService;
  jobs: JobStore;
  backend(model: string): Backend;
  /** Runs the backend for a new job, or again for one that an earlier attempt left behind. */
  run(model: string, order: Order, options?: RunOptions): Running;
}

export interface RunOptions {
  signal?: AbortSignal;
  deadlineMs?: number;
  job?: Job;
}

export interface Running {
  made: Promise<Made>;
  record: Promise<RoutingRecord>;
  job: Promise<Job>;
}

/** Looks follow one another within milliseconds, and a lost submission is looked for at once. */
export async function serviceBench({ provider, wire, fake: options, ...more }: BenchOptions): Promise<ServiceBench> {
  const folder = await tempFolder();
  const fake = await new FakeService(wire, options).start();
  const { jobs } = await openJobs({ path: ':memory:' });
  const download = createDownloader({ allowHosts: [new URL(fake.url).host], maxBytes: 1_000_000, timeoutMs: 5_000 });
  const blobs = await openDiskBlobs({ folder: join(folder, 'blobs'), retentionMs: 3_600_000, minFreeBytes: 0 });
  const dispatcher = createApiDispatcher();
  onTestFinished(async () => {
    await fake.stop();
    await Promise.all([dispatcher.close(), download.close()]);
    await jobs.close();
  });
  const service: RemoteService = {
    provider,
    baseUrl: fake.url,
    credentials: more.credentials ?? [{ name: 'first', key: fakeKey }],
    pollMs: 1,
    health: new HealthBook(),
    bells: new Bells(),
    download,
    maxResultBytes: 1_000_000,
    dispatcher,
    blobs,
    publicBaseUrl: more.publicBaseUrl ?? null,
    isDraining: () => false,
    log: silentLog,
    now: more.now ?? Date.now,
    lookupPausesMs: [0, 1],
  };
  const backend = (model: string) => remoteBackend(service, rowOf(provider, model));
  return {
    fake,
    service,
    jobs,
    backend,
    run: (model, order, run = {}) => start(backend(model), order, { jobs, folder, run }),
  };
}

function rowOf(provider: Provider, model: string) {
  const row = provider.rows.find((each) => each.model === model);
  if (!row) throw new Error(`${provider.name} has no ${model}`);
  return row;
}

let made = 0;

function start(
  backend: Backend,
  order: Order,
  { jobs, folder, run }: { jobs: JobStore; folder: string; run: RunOptions },
): Running {
  const job = run.job ? Promise.resolve(run.job) : claimed(jobs);
  const record = job.then((claim) => new RoutingRecord(jobs, claim));
  const work = async () => {
    const claim = await job;
    const details: BackendRun = {
      job: claim,
      order,
      inputs: {},
      inputFiles: order.pictures.map(() => ({ path: photo, contentType: 'image/jpeg' })),
      ledger: await record,
      folder: join(folder, claim.id),
      signal: run.signal ?? new AbortController().signal,
      deadline: Date.now() + (run.deadlineMs ?? 20_000),
      onProgress() {},
      onStarted() {},
    };
    return backend.run(details);
  };
  return { made: work(), record, job };
}

async function claimed(jobs: JobStore): Promise<Job> {
  made += 1;
  await jobs.insert(newJob(`vgen_${made}`, { lane: 'remote' }));
  const [job] = await jobs.claim('remote', 1, 60_000);
  return job as Job;
}
