import type { Meter, WebhookMessage } from '../api.js';
import { toEngineError } from '../errors.js';
import type { Delivery, DeliveryAttempt, DeliveryStore } from '../jobs/delivery-store.js';
import type { Log } from '../log.js';
import { fateOf } from './fate.js';
import type { Answer, Post } from './post.js';
import { headersOf } from './signature.js';

/** What is to be said, and what it is signed with. */
export interface Written extends WebhookMessage {
  secret: string | null;
}

export interface SenderParts {
  deliveries: DeliveryStore;
  post: Post;
  /** The message of a delivery; null when there is nothing left to tell of. */
  write(delivery: Delivery): Promise<Written | null>;
  /** Seconds after the first attempt. */
  schedule: readonly number[];
  meter: Pick<Meter, 'webhookAttempt'>;
  log: Log;
  now?: () => number;
}

/** Attempts at the same time. */
const limit = 256;
/** Of these to one host: receivers that are slow keep nobody waiting but themselves, unless they are dozens. */
const perHost = 8;
/** An attempt has ended by then; what another server has taken and not given back is free again. */
const leaseMs = 60_000;
/** A safety net only: the sender is woken by endings, by due times and by the end of each attempt. */
const pollMs = 10_000;

/** Delivers what the outbox holds, apart from the jobs: nothing that happens here changes one. */
export class WebhookSender {
  readonly #parts: Required<SenderParts>;
  readonly #attempts = new Set<Promise<void>>();
  readonly #stop = new AbortController();
  #dueTimer: NodeJS.Timeout | undefined;
  #isClosed = false;
  /** The claim that is under way, and whether to look again afterwards. */
  #claiming: { done: Promise<void>; again: boolean } | null = null;

  constructor(parts: SenderParts) {
    this.#parts = { now: Date.now, ...parts };
  }

  /** Takes up what the last server left, and delivers from now on. */
  async start(): Promise<void> {
    const { deliveries } = this.#parts;
    await deliveries.recover();
    deliveries.onDue(() => this.#wake());
    this.#wake();
  }

  /** Begins nothing more, lets attempts end for `graceMs`, and leaves the others to the next start. */
  async close(graceMs: number): Promise<void> {
    this.#isClosed = true;
    const timer = setTimeout(() => this.#stop.abort(new Error('The server is stopping')), graceMs);
    await this.#claiming?.done;
    await Promise.all(this.#attempts);
    clearTimeout(timer);
    clearTimeout(this.#dueTimer);
    await this.#parts.post.close();
  }

  #wake(): void {
    if (this.#isClosed) return;
    if (this.#claiming) {
      this.#claiming.again = true;
      return;
    }
    const done = this.#claim()
      .catch((error) => this.#parts.log.error({ error }, 'deliveries could not be claimed; trying again soon'))
      .finally(() => {
        const again = this.#claiming?.again;
        this.#claiming = null;
        if (again) this.#wake();
      });
    this.#claiming = { done, again: false };
  }

  async #claim(): Promise<void> {
    const { deliveries, now } = this.#parts;
    this.#wakeAfter(pollMs);
    const room = limit - this.#attempts.size;
    if (room <= 0) return;
    const claimed = await deliveries.claim({ limit: room, perHost, leaseMs });
    for (const delivery of claimed) this.#begin(delivery);
    const dueAt = await deliveries.nextDueAt();
    if (dueAt !== null) this.#wakeAfter(Math.min(Math.max(dueAt - now(), 1), pollMs));
  }

  #wakeAfter(ms: number): void {
    clearTimeout(this.#dueTimer);
    this.#dueTimer = setTimeout(() => this.#wake(), ms);
  }

  #begin(delivery: Delivery): void {
    const attempt = this.#attempt(delivery).finally(() => this.#attempts.delete(attempt));
    this.#attempts.add(attempt);
  }

  async #attempt(delivery: Delivery): Promise<void> {
    const { deliveries, schedule, now, log } = this.#parts;
    const at = now();
    try {
      const { status, error } = await this.#send(delivery, at);
      if (this.#stop.signal.aborted && status === null) return;
      const attempt = { at, ms: now() - at, status, error };
      const fate = fateOf(attempt, { tries: delivery.tries, schedule, now: now() });
      const settled = deliveries.settle(delivery.id, attempt, fate);
      // The next claim goes to the disk with this outcome, which makes room for it.
      this.#wake();
      await settled;
      this.#report(delivery, attempt, fate.state);
    } catch (error) {
      // The lease runs out and the delivery is attempted again.
      log.error({ delivery: delivery.id, error }, 'the outcome of a delivery could not be stored');
    }
  }

  async #send(delivery: Delivery, at: number): Promise<Pick<DeliveryAttempt, 'status' | 'error'>> {
    const { post, write, log } = this.#parts;
    try {
      const written = await write(delivery);
      if (written === null) return { status: null, error: 'What it would have told of is past its time' };
      const { event, secret } = written;
      const body = JSON.stringify(written.body);
      const envelope = { event, subject: delivery.subject, deliveryId: delivery.id, body, at };
      const letter = { url: delivery.url, headers: headersOf(envelope, secret), body };
      return describe(await post.send(letter, this.#stop.signal));
    } catch (thrown) {
      const { code, message, cause } = toEngineError(thrown);
      if (code === 'internal') log.error({ delivery: delivery.id, error: cause ?? thrown }, message);
      return { status: null, error: message };
    }
  }

  #report({ id, url }: Delivery, { status, error, ms }: DeliveryAttempt, state: Delivery['state']): void {
    const { meter, log } = this.#parts;
    const isFailure = state === 'pending' || state === 'exhausted';
    meter.webhookAttempt(isFailure ? 'failed' : state);
    const fields = { delivery: id, host: new URL(url).host, status, ms, state };
    log[isFailure ? 'warn' : 'info'](fields, error ?? 'webhook delivered');
  }
}

/** An answer as the log of deliveries tells of it. */
function describe({ status, location }: Answer): Pick<DeliveryAttempt, 'status' | 'error'> {
  if (status >= 200 && status < 300) return { status, error: null };
  if (location === null) return { status, error: `The receiver answered ${status}` };
  const target = location.slice(0, 200);
  return { status, error: `The receiver answered ${status} and points to ${target}: redirects are not followed` };
}
