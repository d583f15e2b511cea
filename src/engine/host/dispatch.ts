/** A task that waits for a thread. */
export interface WaitingTask {
  /** What the thread must have loaded; null: any thread will do. */
  model: string | null;
  /** Whether a thread is loading the model on behalf of this very task. */
  isLoading: boolean;
}

export interface ThreadState {
  status: 'idle' | 'loading' | 'running';
  /** Models that are ready to run here. */
  warm: ReadonlySet<string>;
  /** Bytes left of the thread's share of the model memory. */
  free: number;
  /** When it was last given something, on any clock. */
  usedAt: number;
}

/** The next thing to do: run a task on a thread that has its model, or load its model there. */
export interface Move<Task, Thread> {
  kind: 'run' | 'load';
  task: Task;
  thread: Thread;
}

/**
 * The next move for the longest waiting task that can go on, or null. While a model is loaded, which can take from
 * milliseconds to minutes, tasks whose models are warm go on: all threads but one may load at the same time.
 */
export function nextMove<Task extends WaitingTask, Thread extends ThreadState>(
  queue: Iterable<Task>,
  threads: readonly Thread[],
): Move<Task, Thread> | null {
  const idle = threads.filter((thread) => thread.status === 'idle');
  for (const task of queue) {
    const own = roomiest(idle.filter((thread) => isWarm(thread, task)));
    if (own) return { kind: 'run', task, thread: own };
    const thread = roomiest(idle);
    if (thread && !task.isLoading && mayLoad(task, threads)) return { kind: 'load', task, thread };
  }
  return null;
}

/** Whether the task's model is ready to run on some thread, which may be busy. */
export function isWarmAnywhere(task: WaitingTask, threads: readonly ThreadState[]): boolean {
  return threads.some((thread) => isWarm(thread, task));
}

function isWarm(thread: ThreadState, { model }: WaitingTask): boolean {
  return model === null || thread.warm.has(model);
}

/**
 * One thread is left that does not load, except for a task whose model is warm only on threads that are loading other
 * models: loading it once more is quick compared with waiting for those.
 */
function mayLoad(task: WaitingTask, threads: readonly ThreadState[]): boolean {
  const loads = threads.filter((thread) => thread.status === 'loading');
  const holders = threads.filter((thread) => isWarm(thread, task));
  const isStranded = holders.length > 0 && holders.every((thread) => thread.status === 'loading');
  return isStranded || loads.length < threads.length - 1;
}

function roomiest<Thread extends ThreadState>(threads: readonly Thread[]): Thread | undefined {
  return threads.toSorted((a, b) => b.free - a.free || a.usedAt - b.usedAt)[0];
}
