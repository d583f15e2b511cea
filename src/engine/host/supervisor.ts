import { Errand } from './errand.js';
import { EngineError, reviveError } from '../errors.js';
import { HostProcess } from './host-process.js';
import type { HostSettings } from './host-settings.js';
import type { ImageFacts } from '../media/media.js';
import type { Lane } from '../operations/operation.js';
import { stopError, stopReason } from './stop.js';
import type { HostFacts, Progress, Task, TaskResult, TaskRunner } from '../task.js';

export interface SuperviseOptions {
  settings: HostSettings;
  /** How long a task may take to stop after it was asked to, before its host is killed; default 10 s. */
  killDelayMs?: number;
  /** How long the other tasks of a host that is to be killed may go on; default 15 s. */
  finishMs?: number;
  /** How long a host that holds no task may take to end by itself; default 5 s. */
  endMs?: number;
  /** How long a host may take to become ready, measuring included; default 5 minutes. */
  startMs?: number;
  /** How long looking into one file may take; default 60 s. */
  inspectMs?: number;
  /** Called each time a host process is started in place of another, with the reason. */
  onRestart?: (reason: string) => void;
}

/**
 * Tasks that wait inside the host for a model to be loaded take no slot, so that others can run meanwhile; this many
 * may wait there, more stay in the queue where they belong.
 */
const parkingPlaces = 32;

/** Failed starts after which whoever waits for `ready()` is told; further ones are tried all the same. */
const startsBeforeAlarm = 3;

/**
 * Starts the host process and keeps one running until `close`: the runner of tasks for the server process, which
 * itself loads nothing native.
 */
export function superviseHost(options: SuperviseOptions): TaskRunner {
  return new Supervisor(options);
}

class Supervisor implements TaskRunner {
  readonly #options: Required<SuperviseOptions>;
  /** The host that gets new errands; it is ready. */
  #current: HostProcess | null = null;
  /** The host that will be the current one when it is ready. */
  #next: HostProcess | null = null;
  readonly #hosts = new Set<HostProcess>();
  /** Errands that no host holds. */
  readonly #waiting = new Set<Errand>();
  readonly #idleListeners: (() => void)[] = [];
  #readyListeners: { resolve(facts: HostFacts): void; reject(error: unknown): void }[] = [];
  /** Hosts in a row that ended without having finished an errand. */
  #failures = 0;
  #restartTimer: NodeJS.Timeout | undefined;
  #wasReady = false;
  /** Why nothing can be run any more. */
  #end: EngineError | null = null;

  constructor(options: SuperviseOptions) {
    const defaults = { killDelayMs: 10_000, finishMs: 15_000, endMs: 5_000, startMs: 300_000, inspectMs: 60_000 };
    this.#options = { ...defaults, onRestart: () => {}, ...options };
    this.#start();
  }

  idleSlots(lane: Lane): number {
    const slots = this.#current?.facts?.slots[lane] ?? 0;
    const errands = [...(this.#current?.errands.values() ?? []), ...this.#waiting].filter(isIn(lane));
    const parked = errands.filter(({ where }) => where === 'parked' || where === 'loading').length;
    return Math.max(0, Math.min(slots - (errands.length - parked), parkingPlaces - parked));
  }

  onIdle(listener: () => void): void {
    this.#idleListeners.push(listener);
  }

  async run(task: Task, options: { signal: AbortSignal; onProgress(progress: Progress): void }): Promise<TaskResult> {
    const { signal, onProgress } = options;
    if (signal.aborted) throw stopError(stopReason(signal));
    const errand = new Errand({ type: 'run', task }, onProgress);
    const onAbort = () => {
      const reason = stopReason(signal);
      this.#stop(errand, stopError(reason), this.#options.killDelayMs);
      errand.host?.send({ type: 'abort', id: task.id, reason });
    };
    signal.addEventListener('abort', onAbort);
    try {
      return (await this.#place(errand)) as TaskResult;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  async inspect(path: string, param: string): Promise<ImageFacts> {
    return (await this.#place(new Errand({ type: 'inspect', id: crypto.randomUUID(), path, param }))) as ImageFacts;
  }

  facts(): HostFacts | null {
    return this.#current?.facts ?? null;
  }

  async ready(): Promise<HostFacts> {
    if (this.#end) throw this.#end;
    return this.facts() ?? new Promise((resolve, reject) => this.#readyListeners.push({ resolve, reject }));
  }

  async close(): Promise<void> {
    this.#giveUp(new EngineError('busy', 'The engine is shutting down', { retryAfterSeconds: 10 }));
    await Promise.all([...this.#hosts].map((host) => host.end(this.#options.endMs)));
  }

  #start(): void {
    try {
      this.#open();
    } catch (error) {
      // The system has no room for a process just now.
      this.#failures += 1;
      this.#restart(error instanceof Error ? error.message : String(error));
    }
  }

  #open(): void {
    const host = new HostProcess(this.#options.settings, {
      onReady: () => this.#promote(host),
      onUnusable: (error) => this.#refuse(reviveError(error)),
      onWorn: (reason) => this.#refresh(host, reason),
      onErrand: () => this.#tend(host),
      onReturned: (errand) => this.#take(errand, host),
      onExit: (reason) => this.#bury(host, reason),
    });
    host.killAfter(this.#options.startMs);
    this.#next = host;
    this.#hosts.add(host);
  }

  /** The new host is ready: it takes over, and the one before ends when its tasks have. */
  #promote(host: HostProcess): void {
    if (this.#end) return;
    const before = this.#current;
    host.spare();
    this.#wasReady = true;
    this.#current = host;
    this.#next = null;
    if (before) this.#dismiss(before);
    for (const errand of this.#waiting) this.#send(errand, host);
    for (const { resolve } of this.#readyListeners.splice(0)) if (host.facts) resolve(host.facts);
    this.#tellIdle();
  }

  /** Before the first host was ready this is final: the settings are wrong. Later the device may come back. */
  #refuse(error: EngineError): void {
    if (!this.#wasReady) this.#giveUp(error);
  }

  /** Starts the successor of a host that works, but has grown old. */
  #refresh(host: HostProcess, reason: string): void {
    if (host !== this.#current || this.#next || this.#end) return;
    this.#options.onRestart(reason);
    this.#start();
  }

  #dismiss(host: HostProcess): void {
    host.isLeaving = true;
    host.send({ type: 'surrender' });
    this.#tend(host);
  }

  /** A task does not come back: a fresh host at once for all others, and a last respite for those beside it. */
  #abandon(host: HostProcess): void {
    if (!host.isDoomed) {
      host.isDoomed = true;
      host.killAfter(this.#options.finishMs);
      this.#dismiss(host);
      if (host === this.#current) this.#replace(host, 'a task did not stop when it was asked to');
    }
    this.#tend(host);
  }

  /** After a change of a host's errands: what leaves can perhaps end now, otherwise there may be room. */
  #tend(host: HostProcess): void {
    const errands = [...host.errands.values()];
    if (!host.isLeaving) this.#tellIdle();
    else if (errands.length === 0) void host.end(this.#options.endMs);
    else if (errands.every((errand) => errand.isOverdue)) host.kill();
  }

  /** A host is gone: what it had not begun moves on, the rest is told. */
  #bury(host: HostProcess, reason: string): void {
    this.#hosts.delete(host);
    this.#failures = host.finished > 0 ? 1 : this.#failures + 1;
    if (host === this.#current || host === this.#next) this.#replace(host, reason);
    for (const errand of host.errands.values()) this.#take(errand, host);
    if (this.#wasReady || this.#failures < startsBeforeAlarm) return;
    const message = `The host process could not be started ${this.#failures} times, ${reason}; its reasons are on standard error`;
    for (const { reject } of this.#readyListeners.splice(0)) reject(new EngineError('internal', message));
  }

  #replace(host: HostProcess, reason: string): void {
    if (host === this.#current) this.#current = null;
    if (host === this.#next) this.#next = null;
    if (!this.#next) this.#restart(reason);
  }

  /** Starts a host in place of one that is lost; after failures in a row the next try waits, at most 30 s. */
  #restart(reason: string): void {
    if (this.#end) return;
    this.#options.onRestart(reason);
    const delayMs = this.#failures <= 1 ? 0 : Math.min(30_000, 125 * 2 ** this.#failures);
    clearTimeout(this.#restartTimer);
    this.#restartTimer = setTimeout(() => this.#next ?? this.#start(), delayMs);
  }

  /** Takes an errand out of a host's hands. */
  #take(errand: Errand, host: HostProcess): void {
    errand.host = null;
    if (errand.stopped ?? this.#end) errand.reject(errand.stopped ?? this.#end);
    else if (errand.canMove) this.#send(errand, this.#current);
    else if (host.isDoomed) errand.reject(handedOn());
    else errand.reject(host.wasInterrupted ? interrupted() : crashed());
  }

  #place(errand: Errand): Promise<unknown> {
    if (this.#end) throw this.#end;
    this.#send(errand, this.#current);
    return errand.result.finally(() => clearTimeout(errand.killTimer));
  }

  #send(errand: Errand, host: HostProcess | null): void {
    if (errand.command.type === 'inspect') this.#limit(errand, errand.command.param);
    if (!host || host.isLeaving) {
      this.#waiting.add(errand);
    } else {
      this.#waiting.delete(errand);
      host.deliver(errand);
    }
  }

  /** A decoder can't be asked to stop: after this time, counted anew for every host, the host is replaced. */
  #limit(errand: Errand, param: string): void {
    const { inspectMs } = this.#options;
    const error = new EngineError('timeout', `Looking into the picture took more than ${inspectMs / 1000} s`, {
      param,
    });
    clearTimeout(errand.killTimer);
    errand.killTimer = setTimeout(() => this.#stop(errand, error, 0), inspectMs);
  }

  #stop(errand: Errand, error: EngineError, killDelayMs: number): void {
    errand.stopped = error;
    if (this.#waiting.delete(errand)) errand.reject(error);
    errand.killTimer = setTimeout(() => {
      errand.isOverdue = true;
      if (errand.host) this.#abandon(errand.host);
    }, killDelayMs);
  }

  #giveUp(error: EngineError): void {
    this.#end = error;
    clearTimeout(this.#restartTimer);
    for (const { reject } of this.#readyListeners.splice(0)) reject(error);
    for (const errand of this.#waiting) errand.reject(error);
    this.#waiting.clear();
  }

  #tellIdle(): void {
    for (const listener of this.#idleListeners) listener();
  }
}

function isIn(lane: Lane): (errand: Errand) => boolean {
  return ({ command }) => command.type === 'run' && command.task.lane === lane;
}

function crashed(): EngineError {
  return new EngineError('crashed', 'The process that did the work died; nothing of it was kept');
}

function interrupted(): EngineError {
  return new EngineError('interrupted', 'Something outside ended the process that did the work');
}

function handedOn(): EngineError {
  const reason = 'Another job did not stop when it was asked to, and the process of both had to be ended';
  return new EngineError('busy', reason, { retryAfterSeconds: 1 });
}
