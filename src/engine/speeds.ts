import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import type { TaskResult } from './task.js';

const speedSchema = z.object({
  /** Execution provider, as in `/health`. */
  device: z.string(),
  /** Jobs that the figure comes from. */
  jobs: z.int().positive(),
  /** Milliseconds in the network per job. */
  inferMs: z.number().nonnegative(),
  /** Million pixels of results per second in the network; null where results have no size. */
  megapixelsPerSecond: z.number().nonnegative().nullable(),
});

/** How fast a model ran on this machine: a mean in which a job counts half as much after some 14 more. */
export type Speed = z.output<typeof speedSchema>;

const fileSchema = z.record(z.string(), speedSchema);

/** Share of the latest job in the mean, once there are enough. */
const newest = 0.05;

/** Between two writes: figures are no state, losing some changes nothing. */
const writeEveryMs = 5_000;

/** How fast models ran here, kept in a file. */
export class Speeds {
  readonly #path: string | null;
  readonly #now: () => number;
  readonly #speeds: Map<string, Speed>;
  #writtenAt = Number.NEGATIVE_INFINITY;

  /** `path` null keeps nothing beyond this process. */
  constructor(path: string | null, now: () => number = () => performance.now()) {
    this.#path = path;
    this.#now = now;
    this.#speeds = new Map(Object.entries(path === null ? {} : read(path)));
  }

  /** Of a model; null if it never ran alone on this device. */
  of(id: string, device: string | null): Speed | null {
    const found = this.#speeds.get(id);
    return found && (device === null || found.device === device) ? found : null;
  }

  /** Takes in what a job says. One that used several models says nothing of each. */
  note({ models, stageMs, device, outputs }: TaskResult): void {
    const [id, ...others] = models;
    const inferMs = stageMs.infer;
    if (id === undefined || others.length > 0 || !inferMs) return;
    const pixels = outputs.reduce((sum, { width = 0, height = 0 }) => sum + width * height, 0);
    const megapixelsPerSecond = pixels > 0 ? pixels / 1000 / inferMs : null;
    this.#speeds.set(id, mix(this.of(id, device), { device, jobs: 1, inferMs, megapixelsPerSecond }));
    if (this.#now() - this.#writtenAt >= writeEveryMs) this.write();
  }

  /** Writes what is not yet written. */
  write(): void {
    if (this.#path === null || this.#speeds.size === 0) return;
    this.#writtenAt = this.#now();
    try {
      writeFileSync(`${this.#path}.part`, `${JSON.stringify(Object.fromEntries(this.#speeds), null, 2)}\n`);
      renameSync(`${this.#path}.part`, this.#path);
    } catch {
      // A full disk is told of elsewhere, and no job may fail for the sake of a figure.
    }
  }
}

function mix(before: Speed | null, latest: Speed): Speed {
  if (!before) return latest;
  const jobs = before.jobs + 1;
  const share = Math.max(newest, 1 / jobs);
  const mean = (old: number, now: number) => old + (now - old) * share;
  const { megapixelsPerSecond: old } = before;
  const now = latest.megapixelsPerSecond;
  return {
    device: latest.device,
    jobs,
    inferMs: mean(before.inferMs, latest.inferMs),
    megapixelsPerSecond: old === null || now === null ? now : mean(old, now),
  };
}

/** What the file says; nothing if it is not there or no longer understood. */
function read(path: string): Record<string, Speed> {
  try {
    return fileSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return {};
  }
}
