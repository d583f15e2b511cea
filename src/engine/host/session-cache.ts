import type { LoadReport } from './worker-protocol.js';

/** Something that was loaded and takes memory. */
export interface Loaded {
  /** Size of its weights on disk. */
  bytes: number;
  release(): Promise<void>;
}

export interface SessionCacheOptions<Model extends Loaded> {
  /** Bytes that loaded models may take together; one that is larger than all of it is kept alone. */
  budget: number;
  load(id: string): Promise<Model>;
  /** Resident bytes of the process. */
  residentBytes?: () => number;
}

interface Entry<Model> {
  model: Model;
  size: number;
}

/** The models that one thread has loaded, the least recently used first; those are unloaded when the budget is exceeded. */
export class SessionCache<Model extends Loaded> {
  readonly #options: SessionCacheOptions<Model>;
  readonly #residentBytes: () => number;
  readonly #entries = new Map<string, Entry<Model>>();
  /** What models took that were loaded before: room is made for them first, not when both are in memory. */
  readonly #sizes = new Map<string, number>();

  constructor(options: SessionCacheOptions<Model>) {
    this.#options = options;
    this.#residentBytes = options.residentBytes ?? process.memoryUsage.rss;
  }

  /** The model, loaded if it is not yet; errors are those of `load`. */
  async get(id: string): Promise<Model> {
    const entry = this.#entries.get(id);
    if (!entry) return (await this.load(id)).model;
    this.#entries.delete(id);
    this.#entries.set(id, entry);
    return entry.model;
  }

  /** Loads a model if it is not there yet, and unloads others until all fit; tells how many had to go. */
  async load(id: string): Promise<{ model: Model; evictions: number }> {
    const known = this.#entries.get(id);
    if (known) return { model: await this.get(id), evictions: 0 };
    const before = await this.#shrinkTo(this.#options.budget - (this.#sizes.get(id) ?? 0));
    const resident = this.#residentBytes();
    const model = await this.#options.load(id);
    const size = sizeOf(model, this.#residentBytes() - resident);
    this.#sizes.set(id, size);
    const after = await this.#shrinkTo(this.#options.budget - size);
    this.#entries.set(id, { model, size });
    return { model, evictions: before + after };
  }

  report(evictions: number): LoadReport {
    return { warm: [...this.#entries.keys()], free: this.#options.budget - this.#used(), evictions };
  }

  async #shrinkTo(bytes: number): Promise<number> {
    let evictions = 0;
    for (const [id, { model }] of this.#entries) {
      if (this.#used() <= bytes) break;
      this.#entries.delete(id);
      evictions += 1;
      await model.release();
    }
    return evictions;
  }

  #used(): number {
    return [...this.#entries.values()].reduce((sum, { size }) => sum + size, 0);
  }
}

/**
 * What a model takes in memory: the growth of the process, taken with a grain of salt because other threads grow and
 * shrink it too. The runtime keeps weights about twice (as read and repacked for its kernels), rarely more than four times.
 */
function sizeOf({ bytes }: Loaded, growth: number): number {
  return Math.min(Math.max(growth, 2 * bytes), 4 * bytes);
}
