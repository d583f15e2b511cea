/** How long a thread waits before it looks whether it is to stop. */
const lookMs = 50;

/**
 * A counting semaphore of worker threads, in shared memory: how many of them may be inside the runtime. Decoding and
 * encoding need none, so that of one picture goes on while others are being run.
 */
export class Permits {
  readonly #free: Int32Array;

  /** Of the shared memory that `Permits.of` made. */
  constructor(free: Int32Array) {
    this.#free = free;
  }

  static memoryFor(count: number): Int32Array {
    return new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)).fill(count);
  }

  /** Blocks this thread until it has a permit; what `check` throws ends the wait. */
  acquire(check: () => void): void {
    while (!this.#take()) {
      check();
      Atomics.wait(this.#free, 0, 0, lookMs);
    }
  }

  release(): void {
    Atomics.add(this.#free, 0, 1);
    Atomics.notify(this.#free, 0, 1);
  }

  #take(): boolean {
    const free = Atomics.load(this.#free, 0);
    return free > 0 && (Atomics.compareExchange(this.#free, 0, free, free - 1) === free || this.#take());
  }
}
