import { hasEnded, type Job } from './job-store.js';

/** Wakes whoever waits for a change of a job, so that nobody has to poll. */
export class JobWatch {
  readonly #read: (id: string) => Job | null;
  readonly #bells = new Map<string, Set<Bell>>();

  constructor(read: (id: string) => Job | null) {
    this.#read = read;
  }

  /** How many are watching now. */
  get watchers(): number {
    return [...this.#bells.values()].reduce((total, bells) => total + bells.size, 0);
  }

  /** Says that these jobs have changed. */
  announce(ids: Iterable<string>): void {
    for (const id of ids) {
      for (const bell of this.#bells.get(id) ?? []) bell.ring();
    }
  }

  /** The job now and after every change; changes that come faster than they are taken are seen as one. */
  watch(id: string, signal?: AbortSignal): AsyncIterable<Job> {
    return { [Symbol.asyncIterator]: () => this.#iterate(id, signal) };
  }

  /** Ends every watch. */
  close(): void {
    for (const bells of this.#bells.values()) {
      for (const bell of bells) bell.stop();
    }
  }

  #iterate(id: string, signal?: AbortSignal): AsyncIterator<Job> {
    const bell = new Bell();
    const rows = this.#follow(id, bell, signal);
    return {
      next: () => rows.next(),
      // A generator's own `return` waits for the `next` before it, here for a change that may never come.
      return: () => {
        bell.stop();
        return rows.return();
      },
    };
  }

  async *#follow(id: string, bell: Bell, signal?: AbortSignal): AsyncGenerator<Job, void, void> {
    if (signal?.aborted) return;
    const stop = () => bell.stop();
    signal?.addEventListener('abort', stop, { once: true });
    this.#hang(id, bell); // before the first reading, so that no change falls between the two
    try {
      do {
        const job = this.#read(id);
        if (!job) return;
        yield job;
        if (hasEnded(job)) return;
      } while (await bell.rung());
    } finally {
      signal?.removeEventListener('abort', stop);
      this.#takeDown(id, bell);
    }
  }

  #hang(id: string, bell: Bell): void {
    const bells = this.#bells.get(id);
    if (bells) bells.add(bell);
    else this.#bells.set(id, new Set([bell]));
  }

  #takeDown(id: string, bell: Bell): void {
    const bells = this.#bells.get(id);
    bells?.delete(bell);
    if (bells?.size === 0) this.#bells.delete(id);
  }
}

/** What one watcher waits for. */
class Bell {
  #state: 'still' | 'rung' | 'stopped' = 'still';
  #wake = () => {};

  ring(): void {
    if (this.#state === 'still') this.#state = 'rung';
    this.#wake();
  }

  stop(): void {
    this.#state = 'stopped';
    this.#wake();
  }

  /** True once it has been rung since the last time; false when there is nothing more to wait for. */
  async rung(): Promise<boolean> {
    if (this.#state === 'still') await new Promise<void>((resolve) => (this.#wake = resolve));
    if (this.#state === 'stopped') return false;
    this.#state = 'still';
    return true;
  }
}
