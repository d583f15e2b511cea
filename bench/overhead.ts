import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { runBatch } from '#src/engine/folders/batch.js';
import { readConfig } from '#src/engine/config.js';
import { createEngine } from '#src/engine/engine.js';
import type { BareWork, BareNote } from './bare-thread.js';
import type { Measurement } from './bench.js';
import { photo, sharedFiles } from './material.js';

/** The same work for both sides. */
export interface Work {
  operation: string;
  params: Record<string, unknown>;
  /** How many pictures are made while the clock runs. */
  count: number;
}

/** Workers and threads of both sides: all cores, two threads each. */
const cores = availableParallelism();
const threads = Math.min(2, cores);
const workers = Math.max(1, Math.floor(cores / threads));

/** Every thread has made some of these before the clock starts. */
const warmUp = 3 * workers;

/** Through the engine as the command line uses it, with its queue on disk and its host process. */
export async function throughEngine({ operation, params, count }: Work): Promise<Measurement> {
  const folder = await mkdtemp(join(tmpdir(), 'darkroom-bench-'));
  const settings = { DARKROOM_WORKERS: String(workers), DARKROOM_THREADS: String(threads), DARKROOM_DEVICE: 'cpu' };
  const engine = await createEngine(readConfig({ DARKROOM_DATA: folder, ...settings }));
  await engine.ready();
  const request = { operation, params, force: true, concurrency: workers + 2, signal: new AbortController().signal };
  const make = async (name: string, pictures: string[]) => {
    const items = pictures.map((source, index) => ({ source, target: join(folder, `${name}-${index}`) }));
    for await (const { state, error } of runBatch(engine, items, request)) if (state !== 'done') throw error;
    return items.map(({ target }) => target);
  };
  await make('warm-up', pictures(warmUp));
  const begun = performance.now();
  const made = await make('made', pictures(count));
  const seconds = (performance.now() - begun) / 1000;
  await engine.close(0);
  const check = await digest(made);
  await rm(folder, { recursive: true });
  return { value: count / seconds, check, more: { seconds, workers, threads } };
}

/** As many threads that each do nothing but take the next picture and make it. */
export async function bareLoop({ operation, params, count }: Work): Promise<Measurement> {
  const work: BareWork = {
    operation,
    params,
    threads,
    warmUp: pictures(3),
    pictures: pictures(count),
    next: new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)),
  };
  const pool = Array.from(
    { length: workers },
    () => new Worker(new URL('./bare-thread.js', import.meta.url), { workerData: work }),
  );
  await Promise.all(pool.map((thread) => hear(thread, 'warm')));
  const begun = performance.now();
  for (const thread of pool) thread.postMessage('begin');
  const notes = await Promise.all(pool.map((thread) => hear(thread, 'made')));
  const seconds = (performance.now() - begun) / 1000;
  const made = notes.flatMap((note) => note.made).sort((a, b) => a.index - b.index);
  const check = await digest(made.map(({ path }) => path));
  for (const thread of pool) thread.postMessage('end');
  await Promise.all(pool.map((thread) => hear(thread, 'ended')));
  return { value: count / seconds, check, more: { seconds, workers, threads } };
}

/** Sellers' photographs where they are at hand, over and over. */
function pictures(count: number): string[] {
  const found = sharedFiles('images/clothing', '.jpg');
  const all = found.length > 0 ? found : [photo];
  return Array.from({ length: count }, (_, index) => all[index % all.length] as string);
}

/** Of the bytes of all files: the same code on the same pictures writes the same files. */
async function digest(paths: string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const path of paths) hash.update(await readFile(path));
  return `${paths.length} pictures ${hash.digest('hex').slice(0, 16)}`;
}

function hear<Type extends BareNote['type']>(thread: Worker, type: Type): Promise<Extract<BareNote, { type: Type }>> {
  return new Promise((resolve, reject) => {
    thread.once('error', reject);
    thread.once('message', (note: BareNote) => {
      if (note.type === type) resolve(note as Extract<BareNote, { type: Type }>);
      else reject(new Error(`Expected ${type}, got ${note.type}`));
    });
  });
}
