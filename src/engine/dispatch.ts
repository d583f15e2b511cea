/** A task that waits for a thread. Null: it needs no model, any thread will do. */
export interface WaitingTask {
  model: string | null;
}

export interface ThreadState {
  status: 'idle' | 'loading' | 'running';
  /** The model being loaded, while `loading`. */
  loading: string | null;
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
 * The next move for the longest waiting task that can go on, or null.
 *
 * There is one thread more than tasks may run at once (`atOnce`), and a load is not a run. So while a model is loaded,
 * which can take from milliseconds to minutes, every slot can still be used by tasks whose models are warm; at most
 * all threads but one load at the same time. A load that is ready waits for a slot like any other task.
 */
export function nextMove<Task extends WaitingTask, Thread extends ThreadState>(
  queue: Iterable<Task>,
  threads: readonly Thread[],
  atOnce: number,
): Move<Task, Thread> | null {
  const hasSlot = threads.filter((thread) => thread.status === 'running').length < atOnce;
  // Threads on which an earlier task of the queue will run as soon as there is a slot: not to be loaded onto.
  const promised = new Set<Thread>();
  for (const task of queue) {
    const idle = threads.filter((thread) => thread.status === 'idle' && !promised.has(thread));
    const own = roomiest(idle.filter((thread) => isWarm(thread, task)));
    if (own && hasSlot) return { kind: 'run', task, thread: own };
    if (own) {
      promised.add(own);
      continue;
    }
    const thread = roomiest(idle);
    if (thread && mayLoad(task, threads, atOnce - promised.size)) return { kind: 'load', task, thread };
  }
  return null;
}

function isWarm(thread: ThreadState, task: WaitingTask): boolean {
  return task.model === null || thread.warm.has(task.model);
}

/** Whether another thread may be given this task's model now. `slots`: those not spoken for by earlier tasks. */
function mayLoad(task: WaitingTask, threads: readonly ThreadState[], slots: number): boolean {
  if (task.model === null) return false;
  const holders = threads.filter((thread) => isWarm(thread, task));
  const loads = threads.filter((thread) => thread.status === 'loading');
  const isFirstUse = holders.length === 0 && loads.every((thread) => thread.loading !== task.model);
  if (isFirstUse) return loads.length < threads.length - 1;
  const running = threads.filter((thread) => thread.status === 'running').length;
  // Another copy is worth its memory only if a slot would otherwise stay empty; a load under way will fill one, unless
  // every copy of this model is on a thread that is loading something else: then the task must not wait for that.
  const isStranded = holders.length > 0 && holders.every((thread) => thread.status === 'loading');
  if (isStranded) return running < slots;
  return loads.length < threads.length - 1 && running + loads.length < slots;
}

function roomiest<Thread extends ThreadState>(threads: readonly Thread[]): Thread | undefined {
  return threads.toSorted((a, b) => b.free - a.free || a.usedAt - b.usedAt)[0];
}
