import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import type { Device } from '../../models/session.js';
import { EngineError, serializeError } from '../errors.js';
import type { HostSettings } from './host-settings.js';
import { LaneQueue, type LaneThread } from './lane-queue.js';
import type { ImageFacts } from '../media/media.js';
import type { Lane } from '../operations/operation.js';
import { Permits } from './permits.js';
import type { HostEvent, StopReason, Task, TaskResult } from '../task.js';
import {
  type LoadReport,
  newControl,
  type ProgressNote,
  type Reply,
  markPermit,
  setStop,
  threadDeath,
  unwrap,
  type WorkerData,
} from './worker-protocol.js';

/** Models unloaded by one process before it is replaced: the runtime keeps part of their memory (onnxruntime #25325, #26831). */
const evictionsPerProcess = 8;

/** Tasks that a process makes before its memory is looked at: replacing it costs about as much as a task, so never more often. */
const tasksPerProcess = 50;

/** Pictures that are looked at at the same time: that work is done by the decoder's own threads. */
const inspections = 4;

export interface PoolOptions {
  settings: HostSettings;
  /** The execution provider that models run on. */
  device: Device;
  /** Tasks that may be inside the runtime at once; there is one thread more. */
  workers: number;
  /** Threads of one model run. */
  threads: number;
  /** Tasks without a model that may run at once. */
  cpuWorkers: number;
  /** Clips that may be rendered at once; the encoder has threads of its own. */
  mediaWorkers: number;
  emit(event: HostEvent): void;
}

/**
 * The worker threads of the host process, which report as events. Dispatching is ours, each Piscina has one thread:
 * a task belongs where its model is warm. A thread is never ended while it may be inside the runtime, which would
 * abort the process (exit 134): stopping sets a flag that the task reads between two steps.
 */
export class Pool {
  readonly #emit: (event: HostEvent) => void;
  readonly #maxRss: number;
  readonly #threads: PoolThread[] = [];
  readonly #workers: number;
  readonly #lanes: Partial<Record<Lane, LaneQueue<PoolThread>>>;
  readonly #inspector: PoolThread;
  #tasks = 0;
  #evictions = 0;
  #isWorn = false;
  #isLeaving = false;

  constructor({ workers, cpuWorkers, mediaWorkers, settings, emit, ...model }: PoolOptions) {
    this.#emit = emit;
    this.#workers = workers;
    this.#maxRss = (settings.maxRssMb ?? defaultMaxRssMb(settings)) * 2 ** 20;
    const memory = (settings.modelMemoryMb * 2 ** 20) / (workers + 1 + mediaWorkers);
    // A clip may use a model too: all lanes share the permits to be inside the runtime.
    const permits = Permits.memoryFor(workers);
    const open = (count: number, lane: { permits: Int32Array | null; needsModel: boolean }) => {
      const data = { ...model, settings, memory, permits: lane.permits };
      const threads = Array.from({ length: count }, () => this.#open(data, 1));
      return new LaneQueue({ threads, needsModel: lane.needsModel, emit });
    };
    this.#inspector = this.#open({ ...model, settings, memory, permits: null }, inspections);
    this.#lanes = {
      device: open(workers + 1, { permits, needsModel: true }),
      cpu: open(cpuWorkers, { permits: null, needsModel: false }),
      media: open(mediaWorkers, { permits, needsModel: false }),
    };
  }

  /** Resolves when the threads that are needed first can take tasks; rejects with the reason why one cannot. */
  async started(): Promise<void> {
    const first = this.#threads.slice(0, 1 + this.#workers);
    await Promise.all(first.map((thread) => thread.greet()));
  }

  run(task: Task): void {
    const lane = this.#lanes[task.lane];
    if (this.#isLeaving) this.#emit({ type: 'returned', id: task.id });
    else if (lane) lane.add(task);
    else this.#emit({ type: 'failed', id: task.id, error: serializeError(strayTask(task)) });
  }

  async inspect(id: string, path: string, param: string): Promise<void> {
    if (this.#isLeaving) return this.#emit({ type: 'returned', id });
    const event = await this.#inspector.inspect(path, param).then(
      (facts): HostEvent => ({ type: 'inspected', id, facts }),
      (error): HostEvent => ({ type: 'failed', id, error: serializeError(error) }),
    );
    this.#emit(event);
  }

  abort(id: string, reason: StopReason): void {
    for (const lane of Object.values(this.#lanes)) lane.abort(id, reason);
  }

  /** Gives back what has not begun, and begins nothing more. */
  surrender(): void {
    this.#isLeaving = true;
    for (const lane of Object.values(this.#lanes)) lane.surrender();
  }

  /** Stops what runs at its next step and ends every thread between two tasks, however long that takes. */
  async close(): Promise<void> {
    this.surrender();
    for (const lane of Object.values(this.#lanes)) lane.stop('cancelled');
    await Promise.all(this.#threads.map((thread) => thread.end()));
  }

  #open(data: Omit<WorkerData, 'control'>, concurrency: number): PoolThread {
    const thread = new PoolThread(data, concurrency, {
      onProgress: ({ id, progress }) => this.#emit({ type: 'progress', id, progress }),
      onDeath: (error) => this.#wear(`a worker thread died: ${error instanceof Error ? error.message : error}`),
      onStuck: (model) => this.#wear(`loading ${model} does not come back`),
      onLoad: (report) => this.#countEvictions(report),
      onTaskEnd: () => this.#checkMemory(),
    });
    this.#threads.push(thread);
    return thread;
  }

  #countEvictions({ evictions }: LoadReport): void {
    this.#evictions += evictions;
    if (this.#evictions < evictionsPerProcess) return;
    this.#wear(`${this.#evictions} models were unloaded, and the runtime keeps part of their memory`);
  }

  #checkMemory(): void {
    this.#tasks += 1;
    if (this.#tasks < tasksPerProcess) return;
    const rss = process.memoryUsage.rss();
    if (rss > this.#maxRss) this.#wear(`it holds ${Math.round(rss / 2 ** 20)} MB between tasks`);
  }

  #wear(reason: string): void {
    if (this.#isWorn || this.#isLeaving) return;
    this.#isWorn = true;
    this.#emit({ type: 'worn', reason });
  }
}

function strayTask({ lane }: Task): EngineError {
  return new EngineError('unsupported', `Expected a task of the lanes device, cpu or media, got one of ${lane}`);
}

/** Twice the models' memory (the runtime's work space), and room for pictures that are being worked on. */
function defaultMaxRssMb({ modelMemoryMb }: HostSettings): number {
  return 2 * modelMemoryMb + 2048;
}

interface ThreadListener {
  onProgress(note: ProgressNote): void;
  onDeath(error: unknown): void;
  onStuck(model: string): void;
  onLoad(report: LoadReport): void;
  onTaskEnd(): void;
}

/** One worker thread: a Piscina that never grows, never shrinks and never idles out, started when it is first needed. */
class PoolThread implements LaneThread {
  status: LaneThread['status'] = 'idle';
  warm: ReadonlySet<string> = new Set();
  free: number;
  usedAt = 0;
  readonly #data: WorkerData;
  readonly #concurrency: number;
  readonly #listener: ThreadListener;
  readonly #calls = new Set<Promise<unknown>>();
  #piscina: Piscina | null = null;

  constructor(data: Omit<WorkerData, 'control'>, concurrency: number, listener: ThreadListener) {
    this.free = data.memory;
    this.#data = { ...data, control: newControl() };
    this.#concurrency = concurrency;
    this.#listener = listener;
  }

  greet(): Promise<void> {
    return this.#call('greet', null);
  }

  async perform(task: Task): Promise<TaskResult> {
    setStop(this.#data.control, null);
    this.#begin('running');
    try {
      return await this.#call('perform', task);
    } finally {
      this.status = 'idle';
      this.#listener.onTaskEnd();
    }
  }

  async load(model: string): Promise<void> {
    this.#begin('loading');
    const limitMs = this.#data.settings.loadSeconds * 1000;
    const watchdog = setTimeout(() => this.#listener.onStuck(model), limitMs).unref();
    try {
      const report: LoadReport = await this.#call('load', model);
      this.warm = new Set(report.warm);
      this.free = report.free;
      this.#listener.onLoad(report);
    } finally {
      clearTimeout(watchdog);
      this.status = 'idle';
    }
  }

  inspect(path: string, param: string): Promise<ImageFacts> {
    return this.#call('inspect', { path, param });
  }

  stop(reason: StopReason): void {
    setStop(this.#data.control, reason);
  }

  /** Waits until the thread does nothing any more, then ends it. */
  async end(): Promise<void> {
    while (this.#calls.size > 0) await Promise.allSettled(this.#calls);
    await this.#piscina?.destroy();
  }

  #begin(status: 'loading' | 'running'): void {
    this.status = status;
    this.usedAt = performance.now();
  }

  async #call<Value>(name: string, argument: unknown): Promise<Value> {
    this.#piscina ??= this.#start();
    const call: Promise<Reply<Value>> = this.#piscina.run(argument, { name });
    this.#calls.add(call);
    try {
      return unwrap(await call);
    } catch (error) {
      if (error instanceof EngineError) throw error;
      this.#mourn(error);
      throw threadDeath(error);
    } finally {
      this.#calls.delete(call);
    }
  }

  #start(): Piscina {
    const piscina = new Piscina({
      filename: fileURLToPath(new URL('./worker.js', import.meta.url)),
      workerData: this.#data,
      minThreads: 1,
      maxThreads: 1,
      concurrentTasksPerWorker: this.#concurrency,
      idleTimeout: Number.POSITIVE_INFINITY,
      // The default parks an idle thread in Atomics.wait, where nothing asynchronous of it would go on.
      atomics: 'disabled',
      recordTiming: false,
    });
    piscina.on('message', (note: ProgressNote) => this.#listener.onProgress(note));
    piscina.on('error', (error) => this.#mourn(error));
    return piscina;
  }

  /** The thread is gone, and with it what it had loaded; Piscina starts another one in its place. */
  #mourn(error: unknown): void {
    this.warm = new Set();
    this.free = this.#data.memory;
    const { control, permits } = this.#data;
    if (markPermit(control, false) && permits) new Permits(permits).release();
    this.#listener.onDeath(error);
  }
}
