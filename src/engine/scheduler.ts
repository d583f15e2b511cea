import { EngineError } from './errors.js';
import type { Claim, Job, JobStore } from './jobs/job-store.js';
import type { Log } from './log.js';
import { type Lane, lanes } from './operations/operation.js';
import type { AttemptOptions } from './executor.js';

export interface SchedulerParts {
  jobs: JobStore;
  /** How many more attempts of the lane can start now. */
  idleSlots(lane: Lane): number;
  execute(job: Job, options: AttemptOptions): Promise<void>;
  log: Log;
  /** Default 30 s. */
  leaseMs?: number;
}

/** A claimed attempt between its claim and its end. */
interface Attempt {
  claim: Claim;
  lane: Lane;
  /** Counted by the runner and no longer by us. */
  isStarted: boolean;
  stop: AbortController;
  ended: Promise<void>;
}

/** A safety net only: the scheduler is woken by submissions, freed slots and due times. */
const pollMs = 5_000;

/**
 * Claims as many jobs as idle slots can take, keeps their leases alive from this process (never from a thread that
 * runs a model), and passes on cancellations and deadlines.
 */
export class Scheduler {
  readonly #parts: SchedulerParts;
  readonly #leaseMs: number;
  readonly #running = new Map<string, Attempt>();
  /** Lanes with a claim under way; the value says whether to look again afterwards. */
  readonly #claiming = new Map<Lane, boolean>();
  readonly #dueTimers = new Map<Lane, NodeJS.Timeout>();
  readonly #timers: NodeJS.Timeout[] = [];
  #isDraining = false;

  constructor(parts: SchedulerParts) {
    this.#parts = parts;
    this.#leaseMs = parts.leaseMs ?? 30_000;
  }

  /** Starts claiming. */
  start(): void {
    this.#timers.push(setInterval(() => this.#keepLeases(), this.#leaseMs / 3));
    this.#timers.push(setInterval(() => this.wake(), pollMs));
    this.wake();
  }

  /** Looks for work in one lane, or in all. */
  wake(lane?: Lane): void {
    for (const each of lane ? [lane] : lanes) this.#claim(each);
  }

  /** Asks a running attempt of this job to stop. */
  cancel(id: string): void {
    this.#running.get(id)?.stop.abort(new EngineError('cancelled', 'The job was cancelled'));
  }

  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** Claims nothing from now on. */
  drain(): void {
    this.#isDraining = true;
    for (const timer of this.#dueTimers.values()) clearTimeout(timer);
  }

  /** Drains, waits for running attempts for `graceMs`, then gives the rest back to the queue. */
  async stop(graceMs: number): Promise<void> {
    this.drain();
    await settledWithin(
      [...this.#running.values()].map((attempt) => attempt.ended),
      graceMs,
    );
    for (const timer of this.#timers) clearInterval(timer);
    for (const { claim, stop } of [...this.#running.values()]) {
      await this.#parts.jobs.release(claim);
      // The claim is gone, so whatever this attempt still does changes nothing.
      stop.abort(new EngineError('interrupted', 'The server is stopping'));
    }
  }

  /** Resolves when no attempt runs. */
  async idle(): Promise<void> {
    await Promise.all([...this.#running.values()].map((attempt) => attempt.ended));
  }

  #claim(lane: Lane): void {
    if (this.#isDraining) return;
    if (this.#claiming.has(lane)) {
      this.#claiming.set(lane, true);
      return;
    }
    const limit = this.#parts.idleSlots(lane) - this.#starting(lane);
    if (limit <= 0) return;
    this.#claiming.set(lane, false);
    this.#claimUpTo(lane, limit)
      .catch((error) => this.#parts.log.error({ lane, error }, 'claiming failed; trying again soon'))
      .finally(() => {
        const again = this.#claiming.get(lane);
        this.#claiming.delete(lane);
        if (again) this.#claim(lane);
      });
  }

  async #claimUpTo(lane: Lane, limit: number): Promise<void> {
    const jobs = await this.#parts.jobs.claim(lane, limit, this.#leaseMs);
    for (const job of jobs) this.#start(job);
    if (jobs.length < limit) await this.#wakeWhenDue(lane);
    else this.#claiming.set(lane, true);
  }

  async #wakeWhenDue(lane: Lane): Promise<void> {
    const runAt = await this.#parts.jobs.nextRunAt(lane);
    clearTimeout(this.#dueTimers.get(lane));
    if (runAt === null || this.#isDraining) return;
    const delay = Math.min(Math.max(runAt - Date.now(), 1), pollMs);
    this.#dueTimers.set(
      lane,
      setTimeout(() => this.wake(lane), delay),
    );
  }

  #start(job: Job): void {
    const stop = new AbortController();
    const deadline = setTimeout(() => stop.abort(timedOut(job)), job.timeoutMs);
    const attempt: Attempt = {
      claim: { id: job.id, token: job.token },
      lane: job.lane,
      isStarted: false,
      stop,
      ended: Promise.resolve(),
    };
    this.#running.set(job.id, attempt);
    const onStarted = () => {
      attempt.isStarted = true;
    };
    attempt.ended = this.#parts.execute(job, { signal: stop.signal, onStarted }).finally(() => {
      clearTimeout(deadline);
      if (this.#running.get(job.id) === attempt) this.#running.delete(job.id);
      this.wake(job.lane);
    });
  }

  #starting(lane: Lane): number {
    let count = 0;
    for (const attempt of this.#running.values()) if (attempt.lane === lane && !attempt.isStarted) count += 1;
    return count;
  }

  async #keepLeases(): Promise<void> {
    const { jobs, log } = this.#parts;
    try {
      const claims = [...this.#running.values()].map(({ claim }) => claim);
      const { lost, cancelled } = await jobs.renew(claims, this.#leaseMs);
      for (const { id } of lost)
        this.#running.get(id)?.stop.abort(new EngineError('interrupted', 'The lease was lost'));
      for (const id of cancelled) this.cancel(id);
      const swept = await jobs.sweep();
      if (swept.length > 0) log.warn({ jobs: swept }, 'leases ran out; the jobs are back in the queue');
    } catch (error) {
      log.error({ error }, 'leases could not be renewed; trying again soon');
    }
  }
}

function timedOut(job: Job): EngineError {
  return new EngineError('timeout', `The job did not finish within ${Math.round(job.timeoutMs / 1000)} seconds`);
}

async function settledWithin(promises: Promise<unknown>[], ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeUp = new Promise((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([Promise.all(promises), timeUp]);
  clearTimeout(timer);
}
