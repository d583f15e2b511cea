import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Engine } from '#src/engine/api.js';
import { readConfig } from '#src/engine/config.js';
import { createEngine } from '#src/engine/engine.js';
import { EngineError, type ErrorCode } from '#src/engine/errors.js';
import type { Job } from '#src/engine/jobs/job-store.js';
import { operations } from '#src/engine/operations/index.js';
import type { Lane, LocalBackend, Operation } from '#src/engine/operations/operation.js';
import { webhookPresenter } from '#src/server/present-webhook.js';
import type { HostFacts, Progress, Task, TaskResult, TaskRunner } from '#src/engine/task.js';
import { tempFolder } from '../helpers/temp-folder.js';
import { until } from '../helpers/until.js';

type Format = 'png' | 'webp' | 'jpg' | 'mp4';

/** One attempt of a job, in the hands of a test. Each method resolves when the job's row says the same. */
export interface Attempt {
  job: Job;
  progress(fraction: number): Promise<void>;
  finish(bytes: Buffer, format?: Format, facts?: Record<string, unknown>): Promise<void>;
  fail(code: ErrorCode, message: string, param?: string): Promise<void>;
}

/** The real engine with its queue and its files; only that its tasks run when a test says so. */
export interface PacedEngine extends Engine {
  /** Begins the oldest waiting job, waiting for one if there is none yet. */
  begin(): Promise<Attempt>;
  /** Every file that lies in the store now, finished or not. */
  stored(): Promise<string[]>;
}

/** Settings are those of the environment, with a folder that goes with the test. */
export async function createPacedEngine(settings: Record<string, string> = {}): Promise<PacedEngine> {
  const folder = await tempFolder();
  const config = readConfig({ DARKROOM_DATA: folder, DARKROOM_MIN_FREE_MB: '0', ...settings });
  const runner = pacedRunner();
  const options = { runner, database: ':memory:', webhooks: webhookPresenter, operations: fromWordsToo(operations) };
  const engine = await createEngine(config, options);
  return {
    ...engine,
    async begin() {
      const { task, ...hand } = await runner.next();
      const id = task.id.slice(0, task.id.lastIndexOf('-'));
      const becomes = (what: string, check: (job: Job) => boolean) =>
        until(async () => check(await engine.get(id)), `${id} ${what}`).then(() => {});
      return {
        job: await engine.get(id),
        progress(fraction) {
          hand.onProgress({ stage: 'infer', fraction });
          return becomes('in progress', (job) => job.progress === fraction);
        },
        async finish(bytes, format = 'png', facts = {}) {
          const path = join(task.folder, `out.${format}`);
          await writeFile(path, bytes);
          const result = resultOf(path, format, task);
          hand.resolve({ ...result, facts: { ...result.facts, ...facts } });
          await becomes('completed', ({ state }) => state === 'completed');
        },
        fail(code, message, param) {
          hand.reject(new EngineError(code, message, param === undefined ? {} : { param }));
          return becomes('failed', ({ state }) => state === 'failed');
        },
      };
    },
    async stored() {
      const blobs = join(folder, 'blobs');
      // A folder that goes while it is read is read as empty; the caller asks again.
      const entries = await readdir(blobs, { recursive: true, withFileTypes: true }).catch(() => []);
      return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
    },
  };
}

/** This machine makes clips of words alone too: what these tests are about comes before and after. */
function fromWordsToo(all: readonly Operation[]): Operation[] {
  const able = (local: LocalBackend) => ({
    ...local,
    capabilities: { ...local.capabilities, input: ['text', 'image'] },
  });
  return all.map((operation) => (operation.local ? { ...operation, local: operation.local.map(able) } : operation));
}

/** A task that has been handed out and waits for its end. */
interface Handed {
  task: Task;
  onProgress(progress: Progress): void;
  resolve(result: TaskResult): void;
  reject(error: unknown): void;
}

interface PacedRunner extends TaskRunner {
  next(): Promise<Handed>;
}

function pacedRunner(): PacedRunner {
  const wanted: ((handed: Handed) => void)[] = [];
  let wake = () => {};
  return {
    next() {
      const handed = new Promise<Handed>((resolve) => wanted.push(resolve));
      wake();
      return handed;
    },
    idleSlots: () => wanted.length,
    onIdle(listener) {
      wake = listener;
    },
    run: (task, { signal, onProgress }) =>
      new Promise((resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason));
        wanted.shift()?.({ task, onProgress, resolve, reject });
      }),
    inspect: async (_path, param) => ({ format: 'png', width: 8, height: 6, hasAlpha: param === 'alpha', bytes: 1 }),
    facts: () => facts,
    ready: async () => facts,
    close: async () => {},
  };
}

const everywhere: Record<Lane, number> = { device: 1, cpu: 1, media: 1, remote: 1 };

const facts: HostFacts = {
  pid: 1,
  device: 'cpu',
  deviceReason: 'no other device was found',
  workers: 2,
  threads: 1,
  slots: everywhere,
};

const contentTypes: Record<Format, string> = {
  png: 'image/png',
  webp: 'image/webp',
  jpg: 'image/jpeg',
  mp4: 'video/mp4',
};

function resultOf(path: string, format: Format, { models }: Task): TaskResult {
  const contentType = contentTypes[format];
  return {
    outputs: [{ path, format, contentType, width: 8, height: 6 }],
    warnings: ['A warning of the model'],
    facts: {},
    device: 'cpu',
    models: Object.values(models),
    stageMs: { infer: 12 },
    ...(format === 'mp4' && { modelActual: 'local-motion-i2v' }),
  };
}
