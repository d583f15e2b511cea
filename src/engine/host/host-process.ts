import { type ChildProcess, fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { environmentWith } from '../config.js';
import type { Errand } from './errand.js';
import { reviveError, type SerializedError } from '../errors.js';
import type { HostSettings } from './host-settings.js';
import type { HostCommand, HostEvent, HostFacts } from '../task.js';

/** What the supervisor hears of one host process. */
export interface HostListener {
  onReady(): void;
  /** The host can't work with these settings; it ends by itself. */
  onUnusable(error: SerializedError): void;
  /** The host asks to be replaced. */
  onWorn(reason: string): void;
  /** An errand has moved or ended. */
  onErrand(): void;
  /** An errand was given back: unbegun, or cut short because the host is being closed. */
  onReturned(errand: Errand): void;
  /** The process is gone; `errands` are those it still held. */
  onExit(reason: string): void;
}

/** One forked host process and the errands it holds. */
export class HostProcess {
  /** Null until it is ready. */
  facts: HostFacts | null = null;
  /** It gets no new errands and ends when it holds none. */
  isLeaving = false;
  /** It is to be killed soon: something in it does not come back. */
  isDoomed = false;
  /** Something else than this program ended it with SIGKILL: an operator, or the system when memory ran out. */
  wasInterrupted = false;
  /** How many errands came to their end here. */
  finished = 0;
  readonly errands = new Map<string, Errand>();
  /** Resolves when the process is gone. */
  readonly gone: Promise<void>;
  readonly #child: ChildProcess;
  readonly #listener: HostListener;
  #isEnding = false;
  #isKilled = false;
  #killTimer: NodeJS.Timeout | undefined;

  constructor(settings: HostSettings, listener: HostListener) {
    this.#listener = listener;
    this.#child = fork(fileURLToPath(new URL('./host.js', import.meta.url)), {
      serialization: 'advanced',
      execArgv: [],
      // Standard output belongs to whoever started this program: what a library prints in the host goes to standard error.
      stdio: ['ignore', 2, 2, 'ipc'],
      // Decoding, encoding and file access of all worker threads share this pool, whose default is 4.
      env: environmentWith({ UV_THREADPOOL_SIZE: String(availableParallelism() + 6) }),
    });
    this.#child.on('message', (event) => this.#hear(event as HostEvent));
    this.gone = this.#watchEnd();
    this.send({ type: 'start', settings });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  deliver(errand: Errand): void {
    errand.deliverTo(this);
    this.errands.set(errand.id, errand);
    this.send(errand.command);
  }

  /** A command to a host that is just ending is lost, which its end then tells. */
  send(command: HostCommand): void {
    if (this.#child.connected) this.#child.send(command, () => {});
  }

  /** Asks the process to end between two runs, and kills it if it has not after `killAfterMs`. */
  end(killAfterMs: number): Promise<void> {
    if (!this.#isEnding) {
      this.#isEnding = true;
      this.send({ type: 'close' });
      this.killAfter(killAfterMs);
    }
    return this.gone;
  }

  killAfter(ms: number): void {
    clearTimeout(this.#killTimer);
    this.#killTimer = setTimeout(() => this.kill(), ms);
  }

  /** Withdraws `killAfter`. */
  spare(): void {
    clearTimeout(this.#killTimer);
  }

  kill(): void {
    this.#isKilled = true;
    this.#child.kill('SIGKILL');
  }

  async #watchEnd(): Promise<void> {
    const child = this.#child;
    const channel = new Promise((resolve) => child.once('disconnect', resolve));
    const reason = await new Promise<string>((resolve) => {
      child.once('exit', (code, signal) => {
        this.wasInterrupted = signal === 'SIGKILL' && !this.#isKilled;
        resolve(signal ? `it was ended by ${signal}` : `it ended with code ${code}`);
      });
      // Other errors are those of a signal or message to a process that is just ending.
      child.on('error', (error) => child.pid === undefined && resolve(error.message));
    });
    // What it said last is still to be read.
    if (child.pid !== undefined && child.connected) await channel;
    clearTimeout(this.#killTimer);
    this.#listener.onExit(reason);
  }

  #hear(event: HostEvent): void {
    if ('id' in event) this.#hearOf(this.errands.get(event.id), event);
    else if (event.type === 'worn') this.#listener.onWorn(event.reason);
    else if (event.type === 'unusable') this.#listener.onUnusable(event.error);
    else {
      this.facts = event.facts;
      this.#listener.onReady();
    }
  }

  #hearOf(errand: Errand | undefined, event: Extract<HostEvent, { id: string }>): void {
    if (!errand) return;
    if (event.type === 'progress') errand.onProgress(event.progress);
    else if (event.type === 'moved') errand.where = event.to;
    else this.#letGo(errand, event);
    // What runs now took its slot before.
    if (event.type !== 'progress' && !(event.type === 'moved' && event.to === 'running')) this.#listener.onErrand();
  }

  #letGo(errand: Errand, event: Extract<HostEvent, { type: 'done' | 'inspected' | 'failed' | 'returned' }>): void {
    this.errands.delete(event.id);
    errand.host = null;
    if (event.type === 'returned') errand.forget();
    else this.finished += 1;
    if (event.type === 'done') errand.resolve(event.result);
    else if (event.type === 'inspected') errand.resolve(event.facts);
    else if (event.type === 'failed' && !isCutShort(errand, event.error)) errand.reject(reviveError(event.error));
    else this.#listener.onReturned(errand);
  }
}

/** Whether the task was stopped without anyone having asked for it: its host is being closed. */
function isCutShort(errand: Errand, error: SerializedError): boolean {
  return error.code === 'cancelled' && errand.stopped === null;
}
