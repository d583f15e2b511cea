import type { Stage } from '../operations/workbench.js';
import type { Progress } from '../task.js';

/** Where each stage lies within a whole attempt, from 0 to 1: shares as they are usual for a photograph on a CPU. */
const spans = {
  load: [0, 0.1],
  decode: [0.1, 0.2],
  infer: [0.2, 0.85],
  // Frames of a clip: they are encoded while they come.
  render: [0.25, 0.98],
  compose: [0.85, 0.9],
  encode: [0.9, 1],
} satisfies Record<Stage, [begin: number, end: number]>;

/** Progress is told at most twice a second: each note becomes a write to the database. */
const noteIntervalMs = 500;

/** Keeps the time of each stage of one attempt, and tells its progress. */
export class StageClock {
  readonly #onProgress: (progress: Progress) => void;
  readonly #now: () => number;
  readonly #times: Partial<Record<Stage, number>> = {};
  #stage: Stage | null = null;
  #since: number;
  #toldAt = Number.NEGATIVE_INFINITY;
  #fraction = 0;

  constructor(onProgress: (progress: Progress) => void, now: () => number = () => performance.now()) {
    this.#onProgress = onProgress;
    this.#now = now;
    this.#since = now();
  }

  /** The attempt is in this stage from now on, and `fraction` (0..1) of it is done. Returns the stage before. */
  enter(stage: Stage, fraction = 0): Stage | null {
    const before = this.#stage;
    this.#lap();
    this.#stage = stage;
    const [begin, end] = spans[stage];
    // Stages may come in another order than usual; what was told never goes back.
    this.#fraction = Math.max(this.#fraction, begin + (end - begin) * Math.min(Math.max(fraction, 0), 1));
    this.#tell(stage);
    return before;
  }

  /** The attempt waits: the time until it enters a stage again belongs to none. */
  leave(): void {
    this.#lap();
    this.#stage = null;
  }

  /** Milliseconds per stage so far. */
  times(): Partial<Record<Stage, number>> {
    this.#lap();
    const times = Object.entries(this.#times).map(([stage, ms]) => [stage, Math.round(ms)]);
    return Object.fromEntries(times);
  }

  #lap(): void {
    const now = this.#now();
    if (this.#stage) this.#times[this.#stage] = (this.#times[this.#stage] ?? 0) + now - this.#since;
    this.#since = now;
  }

  #tell(stage: Stage): void {
    const now = this.#now();
    if (now - this.#toldAt < noteIntervalMs) return;
    this.#toldAt = now;
    this.#onProgress({ stage, fraction: this.#fraction });
  }
}
