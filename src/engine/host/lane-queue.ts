import { isWarmAnywhere, nextMove, type ThreadState, type WaitingTask } from './dispatch.js';
import { type EngineError, serializeError, toEngineError } from '../errors.js';
import { stopError } from './stop.js';
import type { HostEvent, StopReason, Task, TaskResult, Whereabouts } from '../task.js';

/** A worker thread as its lane sees it: it does one thing at a time. */
export interface LaneThread extends ThreadState {
  /** Rejects with the task's error. */
  perform(task: Task): Promise<TaskResult>;
  /** Loads a model; rejects with the reason why it cannot be. */
  load(model: string): Promise<void>;
  /** Asks what `perform` does to stop at its next step. */
  stop(reason: StopReason): void;
}

export interface LaneOptions<Thread extends LaneThread> {
  threads: readonly Thread[];
  /** Whether a task runs only on a thread that has loaded its model. */
  needsModel: boolean;
  emit(event: HostEvent): void;
  now?: () => number;
}

interface Ticket extends WaitingTask {
  task: Task;
  /** Null: nothing was said of it yet. */
  where: Whereabouts | null;
  /** Set while it runs. */
  thread: LaneThread | null;
  /** How long a load on its behalf took. */
  loadMs: number;
}

/** The tasks of one lane and the threads that take them; every change is told as an event. */
export class LaneQueue<Thread extends LaneThread> {
  readonly #options: LaneOptions<Thread>;
  readonly #now: () => number;
  readonly #queue = new Map<string, Ticket>();
  readonly #running = new Map<string, Ticket>();

  constructor(options: LaneOptions<Thread>) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  add(task: Task): void {
    const model = this.#options.needsModel ? task.model : null;
    this.#queue.set(task.id, { task, model, isLoading: false, where: null, thread: null, loadMs: 0 });
    this.#pump();
  }

  /** Ends a waiting task at once, also while its model is loaded (which goes on for the next one); asks a running one to stop. */
  abort(id: string, reason: StopReason): void {
    const waiting = this.#queue.get(id);
    if (waiting) this.#fail(waiting, stopError(reason));
    else this.#running.get(id)?.thread?.stop(reason);
  }

  /** Gives back every task that has not begun. */
  surrender(): void {
    const ids = [...this.#queue.keys()];
    this.#queue.clear();
    for (const id of ids) this.#options.emit({ type: 'returned', id });
  }

  /** Asks every running task to stop. */
  stop(reason: StopReason): void {
    for (const { thread } of this.#running.values()) thread?.stop(reason);
  }

  #pump(): void {
    const { threads } = this.#options;
    for (;;) {
      const move = nextMove(this.#queue.values(), threads);
      if (!move) break;
      if (move.kind === 'run') void this.#perform(move.task, move.thread);
      else void this.#load(move.task, move.thread);
    }
    for (const ticket of this.#queue.values()) {
      const waits = isWarmAnywhere(ticket, threads) ? 'queued' : 'parked';
      this.#move(ticket, ticket.isLoading ? 'loading' : waits);
    }
  }

  async #perform(ticket: Ticket, thread: Thread): Promise<void> {
    const { task, loadMs } = ticket;
    this.#queue.delete(task.id);
    this.#running.set(task.id, ticket);
    ticket.thread = thread;
    this.#move(ticket, 'running');
    const event = await thread.perform(task).then(
      (result): HostEvent => ({ type: 'done', id: task.id, result: withLoad(result, loadMs) }),
      (error): HostEvent => ({ type: 'failed', id: task.id, error: serializeError(error) }),
    );
    this.#running.delete(task.id);
    // The next tasks first: whoever hears that this one has ended then knows already who took its slot.
    this.#pump();
    this.#options.emit(event);
  }

  async #load(ticket: Ticket, thread: Thread): Promise<void> {
    const { task, model } = ticket;
    if (model === null) return;
    ticket.isLoading = true;
    const begin = this.#now();
    this.#options.emit({ type: 'progress', id: task.id, progress: { stage: 'load', fraction: 0 } });
    const error = await thread.load(model).then(() => null, toEngineError);
    ticket.isLoading = false;
    ticket.loadMs += this.#now() - begin;
    // The task may have ended, been given back or found another thread meanwhile.
    if (error && this.#queue.get(task.id) === ticket) this.#fail(ticket, error);
    this.#pump();
  }

  #fail(ticket: Ticket, error: EngineError): void {
    const { id } = ticket.task;
    this.#queue.delete(id);
    this.#options.emit({ type: 'failed', id, error: serializeError(error) });
  }

  #move(ticket: Ticket, to: Whereabouts): void {
    if (ticket.where === to) return;
    ticket.where = to;
    this.#options.emit({ type: 'moved', id: ticket.task.id, to });
  }
}

function withLoad(result: TaskResult, loadMs: number): TaskResult {
  if (loadMs === 0) return result;
  return { ...result, stageMs: { ...result.stageMs, load: (result.stageMs.load ?? 0) + Math.round(loadMs) } };
}
