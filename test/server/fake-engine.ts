import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { z } from 'zod';
import type { Engine, EngineStatus, LinkedFile, ReceivedFile, Submission } from '#src/engine/api.js';
import { openDiskBlobs } from '#src/engine/blobs/disk-blobs.js';
import { EngineError, type ErrorCode } from '#src/engine/errors.js';
import { openJobs } from '#src/engine/jobs/index.js';
import type { Job, JobInput } from '#src/engine/jobs/job-store.js';
import type { Operation } from '#src/engine/operations/operation.js';

const format = z.enum(['png', 'webp', 'jpg']).default('png');
const notHere = () => Promise.reject(new Error('The tests end jobs by hand'));

/** Two operations with the names and params that clients know. */
export const testOperations: Operation[] = [
  {
    name: 'background-removal',
    type: 'BACKGROUND_REMOVAL',
    command: 'cutout',
    idPrefix: 'bgrm',
    syncPaths: ['background-removal', 'remove-background'],
    lane: 'device',
    task: 'background-removal',
    imageFields: ['image'],
    summary: 'Cuts the foreground out of a picture',
    params: z.object({ model: z.string().default('auto'), format }),
    perform: notHere,
  },
  {
    name: 'super-resolution',
    type: 'SUPER_RESOLUTION',
    command: 'upscale',
    idPrefix: 'sres',
    syncPaths: ['upscale'],
    lane: 'device',
    task: 'super-resolution',
    imageFields: ['image'],
    summary: 'Enlarges a picture',
    params: z.object({ model: z.string().default('auto'), format, scale: z.coerce.number().int().default(2) }),
    perform: notHere,
  },
];

/** An engine without a host: real queue, real files, and jobs that run when a test says so. */
export interface FakeEngine extends Engine {
  /** Every file that lies in the store now, finished or not. */
  stored(): Promise<string[]>;
  /** Begins the oldest waiting job. */
  begin(): Promise<Job>;
  progress(job: Job, fraction: number): Promise<void>;
  finish(job: Job, bytes: Buffer, extension?: string): Promise<void>;
  fail(job: Job, code: ErrorCode, message: string, param?: string): Promise<void>;
  /** Lets time pass for the retention of files. */
  advance(ms: number): void;
  problems: string[];
  dispose(): Promise<void>;
}

export interface FakeEngineOptions {
  maxUploadBytes?: number;
  maxQueued?: number;
  retentionMs?: number;
}

export async function createFakeEngine(options: FakeEngineOptions = {}): Promise<FakeEngine> {
  const { maxUploadBytes = 50_000_000, maxQueued = 1000, retentionMs = 7 * 86_400_000 } = options;
  const folder = await mkdtemp(join(tmpdir(), 'darkroom-server-'));
  const clock = { ahead: 0 };
  const now = () => Date.now() + clock.ahead;
  const { jobs, keys } = await openJobs({ path: ':memory:' });
  const blobs = await openDiskBlobs({ folder, retentionMs, minFreeBytes: 0, now });
  const problems: string[] = [];
  let draining = false;

  const operationOf = (name: string) => testOperations.find((each) => each.name === name) as Operation;

  const receive = async (source: Readable, field: string): Promise<ReceivedFile> => {
    if ((await jobs.stats()).states.queued >= maxQueued) {
      throw new EngineError('busy', 'The queue is full', { retryAfterSeconds: 5 });
    }
    const { id, bytes, sha256 } = await blobs.put(source, { extension: 'bin', maxBytes: maxUploadBytes, param: field });
    return { field, blob: id, bytes, sha256 };
  };

  const discard = async (received: { blob: string }[]) => {
    for (const { blob } of received) await blobs.remove(blob);
  };

  const takeIn = async (input: ReceivedFile | LinkedFile): Promise<JobInput> => {
    if ('blob' in input) return { ...input, contentType: 'image/png' };
    const base64 = /^data:[^,]*;base64,(.*)$/.exec(input.url)?.[1];
    if (base64 === undefined) throw new EngineError('invalid_input', `Expected a data URI, got ${input.url}`);
    const file = await receive(Readable.from([Buffer.from(base64, 'base64')]), input.field);
    return { ...file, contentType: 'image/png' };
  };

  const insert = async (submission: Submission) => {
    const operation = operationOf(submission.operation);
    const parsed = operation.params.safeParse(submission.params);
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      throw new EngineError('invalid_input', issue?.message ?? '', { param: issue?.path.join('.') ?? '' });
    }
    const unknown = Object.keys(submission.params).filter((name) => !Object.hasOwn(operation.params.shape, name));
    const idempotency = submission.idempotencyKey && {
      key: submission.idempotencyKey,
      fingerprint: createHash('sha256')
        .update(JSON.stringify([operation.name, parsed.data, submission.inputs.map(digestOf)]))
        .digest('hex'),
    };
    const known = idempotency ? await jobs.findReplay(submission.owner, idempotency) : null;
    if (known) return { job: known, replayed: true };
    if (submission.inputs.length === 0) throw new EngineError('invalid_input', 'No picture came', { param: 'image' });
    const inputs = await Promise.all(submission.inputs.map(takeIn));
    return jobs.insert(
      {
        id: `${operation.idPrefix}_${randomBytes(12).toString('hex')}`,
        operation: operation.name,
        lane: operation.lane,
        owner: submission.owner,
        params: parsed.data,
        inputs,
        warnings: unknown.map((name) => `Unknown field \`${name}\` is not used`),
        timeoutMs: 60_000,
      },
      idempotency ? { idempotency, maxQueued } : { maxQueued },
    );
  };

  const status = async (): Promise<EngineStatus> => ({
    host: facts,
    problems: draining ? [...problems, 'The server is stopping'] : problems,
    draining,
    queue: await jobs.stats(),
  });

  const get = async (id: string) => {
    const job = await jobs.get(id);
    if (!job) throw new EngineError('not_found', `No job ${id}`, { param: 'id' });
    return job;
  };

  return {
    operations: testOperations,
    keys,
    receive,
    discard,
    async submit(submission) {
      const received = submission.inputs.filter((input) => 'blob' in input);
      try {
        const submitted = await insert(submission);
        if (submitted.replayed) await discard(received);
        return submitted;
      } catch (error) {
        await discard(received);
        throw error;
      }
    },
    get,
    async cancel(id) {
      await jobs.cancel(id);
      const job = await get(id);
      if (job.state === 'running') await jobs.acknowledgeCancel(job);
      return get(id);
    },
    watch: (id, signal) => jobs.watch(id, signal),
    statOutput: (id) => blobs.stat(id),
    readOutput: (id, range) => blobs.read(id, range),
    removeOutput: (id) => blobs.remove(id),
    models: async () => [
      {
        id: 'cutout-s',
        task: 'background-removal',
        family: 'saliency',
        tier: 'bundled',
        licence: 'Apache-2.0',
        commercialUse: true,
        bytes: 5_000_000,
        installed: true,
        problem: null,
      },
    ],
    status,
    ready: async () => facts,
    drain: () => {
      draining = true;
    },
    close: () => jobs.close(),
    async stored() {
      // A folder that goes while it is read is read as empty; the caller asks again.
      const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
      return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
    },
    async begin() {
      const [job] = await jobs.claim('device', 1, 30_000);
      if (!job) throw new Error('No job waits');
      return job;
    },
    progress: async (job, fraction) => void (await jobs.progress(job, fraction, 'infer')),
    async finish(job, bytes, extension = 'png') {
      const output = await blobs.put(Readable.from([bytes]), { extension });
      await jobs.complete(job, {
        outputs: [{ blob: output.id, format: extension, contentType: output.contentType, width: 8, height: 6 }],
        modelActual: 'cutout-s',
        warnings: ['A warning of the model'],
        facts: { device: 'cpu', stageMs: { infer: 12 } },
      });
    },
    async fail(job, code, message, param) {
      await jobs.fail(job, { code, message, details: param === undefined ? {} : { param } });
    },
    advance(ms) {
      clock.ahead += ms;
    },
    problems,
    async dispose() {
      await jobs.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const facts = {
  pid: 1,
  device: 'cpu',
  deviceReason: 'no other device was found',
  workers: 2,
  threads: 1,
  slots: { device: 2, cpu: 1, media: 1, remote: 8 },
};

function digestOf(input: ReceivedFile | LinkedFile): string[] {
  return [input.field, 'blob' in input ? input.sha256 : input.url];
}
