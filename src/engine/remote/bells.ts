import { setTimeout as delay } from 'node:timers/promises';

/** Wakes whoever waits for a service when that calls back, so that a callback is only ever a reason to look. */
export class Bells {
  readonly #waiting = new Map<string, AbortController>();
  readonly #all = new Set<AbortController>();
  /** Rung while nobody listened; bounded, since anybody who knows an address may ring. */
  readonly #rung = new Set<string>();

  /** Whether somebody waits under this name now or has just been rung. */
  ring(name: string): void {
    const listener = this.#waiting.get(name);
    if (listener) listener.abort();
    else if (this.#rung.size < 1_000) this.#rung.add(name);
  }

  /** Wakes everybody. */
  ringAll(): void {
    for (const bell of this.#all) bell.abort();
  }

  /** Resolves after the time, or at once when the bell rings; rejects with the signal's reason. */
  async wait(name: string | null, ms: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (name !== null && this.#rung.delete(name)) return;
    const bell = new AbortController();
    const onAbort = () => bell.abort();
    signal.addEventListener('abort', onAbort, { once: true });
    this.#all.add(bell);
    if (name !== null) this.#waiting.set(name, bell);
    try {
      await delay(Math.max(0, ms), undefined, { signal: bell.signal }).catch(() => {});
    } finally {
      signal.removeEventListener('abort', onAbort);
      this.#all.delete(bell);
      if (name !== null) this.#waiting.delete(name);
    }
    signal.throwIfAborted();
  }
}
