import { createHash } from 'node:crypto';
import { cpus } from 'node:os';
import { z } from 'zod';
import type { Device } from '../../models/session.js';
import { availableCores } from './cores.js';
import type { HostSettings } from './host-settings.js';
import { Findings } from '../probe/findings.js';
import { measure } from '../probe/measure.js';
import { runtimeFacts } from '../probe/runtime.js';
import { layoutSubject } from '../probe/subject.js';

/** How many workers run models at the same time, and with how many threads each. */
export interface Layout {
  workers: number;
  threads: number;
}

export interface MeasuredLayout extends Layout {
  runsPerSecond: number;
}

const layoutSchema = z.object({ workers: z.int().positive(), threads: z.int().positive() });

/** How long each candidate runs: some dozen runs of the small network, and with seven candidates a start of two seconds. */
const probeMs = 300;

/** Every worker keeps its own copy of the models it uses; with less than this none but the smallest fit. */
const memoryPerWorkerMb = 128;

/** Throughput that is given up for a shorter wait of a single job. */
const tolerance = 0.1;

/**
 * Workers × threads for this machine: as set, else as measured now or before under the same facts. On a GPU one worker
 * owns the device.
 */
export async function decideLayout(settings: HostSettings, device: Device, cores = availableCores()): Promise<Layout> {
  const { workers, threads } = settings;
  if (workers !== null && threads !== null) return { workers, threads };
  if (device !== 'cpu') return { workers: workers ?? 1, threads: threads ?? Math.min(4, cores) };
  if (workers !== null) return { workers, threads: Math.max(1, Math.floor(cores / workers)) };
  if (threads !== null) return { workers: Math.max(1, Math.floor(cores / threads)), threads };
  const most = Math.max(1, Math.floor(settings.modelMemoryMb / memoryPerWorkerMb));
  return measuredLayout(candidates(cores, most), new Findings(settings.measurementsFile));
}

/**
 * The layouts that are worth a measurement: for 1, 2, 3, 4, 6, 8, 12 … workers the threads that fit; of two with the same
 * number of threads only the one that uses more of the cores.
 */
export function candidates(cores: number, mostWorkers: number): Layout[] {
  const most = Math.min(cores, mostWorkers);
  const counts = [1, most, ...Array.from({ length: 8 }, (_, power) => [2 ** power, 3 * 2 ** power]).flat()];
  const byThreads = new Map<number, Layout>();
  for (const workers of counts.filter((count) => count <= most).sort((a, b) => a - b)) {
    const threads = Math.floor(cores / workers);
    byThreads.set(threads, { workers, threads });
  }
  return [...byThreads.values()];
}

/**
 * The layout with the fewest workers whose throughput is within 10 % of the best: fewer workers means more threads for
 * each, so a job that comes alone is done sooner, and each model is in memory fewer times.
 */
export function chooseLayout(measured: readonly MeasuredLayout[]): Layout {
  const best = Math.max(...measured.map(({ runsPerSecond }) => runsPerSecond));
  const good = measured.filter(({ runsPerSecond }) => runsPerSecond >= best * (1 - tolerance));
  const [{ workers, threads } = { workers: 1, threads: 1 }] = good.toSorted((a, b) => a.workers - b.workers);
  return { workers, threads };
}

async function measuredLayout(tried: Layout[], findings: Findings): Promise<Layout> {
  const subject = await layoutSubject();
  const network = createHash('sha256').update(subject.network).digest('hex');
  const facts = { cpu: cpus()[0]?.model, tried, network, runtime: runtimeFacts() };
  const known = findings.find('layout', facts, { schema: layoutSchema });
  if (known) return known;
  const measurements = tried.map((one) => ({ ...one, device: 'cpu', ms: probeMs, isProfiled: false }) as const);
  const found = await measure(subject, measurements, 60_000);
  const measured = tried.map((one, index) => ({ ...one, runsPerSecond: found[index]?.runsPerSecond ?? 0 }));
  const chosen = chooseLayout(measured);
  findings.keep('layout', facts, { ...chosen, measured });
  return chosen;
}
