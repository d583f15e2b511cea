import type { ServerResponse } from 'node:http';

/** Why a wait ended before its job. */
export type WaitEnd = 'client left' | 'server stops';

/** The answers that are held open until a job changes: each ends with its client, all end with the server. */
export class Waits {
  #open = new Set<AbortController>();
  #isClosed = false;

  /** A signal for the time that this answer is wanted; its reason is a WaitEnd. */
  begin(response: ServerResponse): AbortSignal {
    const wait = new AbortController();
    this.#open.add(wait);
    response.once('close', () => {
      this.#open.delete(wait);
      wait.abort('client left' satisfies WaitEnd);
    });
    if (response.destroyed) wait.abort('client left' satisfies WaitEnd);
    if (this.#isClosed) wait.abort('server stops' satisfies WaitEnd);
    return wait.signal;
  }

  /** Ends every wait, and each that begins later at once. */
  close(): void {
    this.#isClosed = true;
    for (const wait of this.#open) wait.abort('server stops' satisfies WaitEnd);
  }
}
