import { createWriteStream } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Engine } from '../api.js';
import { EngineError, reviveError, toEngineError } from '../errors.js';
import { type BatchItem, isDone } from './folder.js';
import { hasEnded, type Job } from '../jobs/job-store.js';
import { isDoubtful, type Verdict, verdictOf } from './verdict.js';

/** What became of one file of a batch. */
export interface BatchOutcome extends BatchItem {
  state: 'done' | 'skipped' | 'failed';
  ms: number;
  model: string | null;
  warnings: string[];
  /** From operations that judge their results. */
  verdict: Verdict | null;
  error: EngineError | null;
}

export interface BatchRequest {
  operation: string;
  params: Record<string, unknown>;
  /** Further pictures that go with every file. */
  pictures?: { field: string; path: string }[];
  /** Files in work at the same time. */
  concurrency: number;
  /** Do again what is done. */
  force: boolean;
  /** Ends the batch: running jobs are cancelled, nothing new begins. */
  signal: AbortSignal;
}

/** Runs every file as a job of its own and yields the outcomes as they come; a bad file ends nothing but itself. */
export async function* runBatch(
  engine: Engine,
  items: BatchItem[],
  request: BatchRequest,
): AsyncGenerator<BatchOutcome> {
  const waiting = items[Symbol.iterator]();
  const running = new Map<BatchItem, Promise<{ item: BatchItem; outcome: BatchOutcome }>>();
  const startNext = () => {
    const next = request.signal.aborted ? { done: true as const } : waiting.next();
    if (next.done) return false;
    const item = next.value;
    running.set(
      item,
      runItem(engine, item, request).then((outcome) => ({ item, outcome })),
    );
    return true;
  };
  while (running.size < request.concurrency && startNext());
  while (running.size > 0) {
    const { item, outcome } = await Promise.race(running.values());
    running.delete(item);
    startNext();
    yield outcome;
  }
}

/** One picture from a stream as a job; resolves with the ended job, whose output is still the engine's. */
export async function runOne(
  engine: Engine,
  source: Readable,
  { operation, params, pictures = [], signal }: Pick<BatchRequest, 'operation' | 'params' | 'pictures' | 'signal'>,
): Promise<Job> {
  const inputs = [await engine.receive(source, 'image')];
  for (const { field, path } of pictures) inputs.push(await engine.receive(await openSource(path, field), field));
  const { job } = await engine.submit({ operation, owner: 'local', params, inputs });
  const onAbort = () => void engine.cancel(job.id).catch(() => {});
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    if (signal.aborted) onAbort();
    return await ended(engine, job.id);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** Moves the output of a completed job to `target`, whole or not at all. */
export async function deliver(engine: Engine, job: Job, target: string): Promise<void> {
  const [output] = job.result?.outputs ?? [];
  if (!output) throw new EngineError('internal', `${job.id} made no output`);
  const folder = dirname(target);
  const partial = join(folder, `.${output.blob}.partial`);
  try {
    await mkdir(folder, { recursive: true });
    await pipeline(await engine.readOutput(output.blob), createWriteStream(partial));
    await rename(partial, target);
    await engine.removeOutput(output.blob);
  } catch (error) {
    await rm(partial, { force: true });
    throw new EngineError('invalid_input', `${target} cannot be written: ${(error as Error).message}`, {
      param: 'output',
      cause: error,
    });
  }
}

async function runItem(engine: Engine, item: BatchItem, request: BatchRequest): Promise<BatchOutcome> {
  const begun = performance.now();
  const outcome = (state: BatchOutcome['state'], job: Job | null, error: EngineError | null): BatchOutcome => ({
    ...item,
    state,
    ms: Math.round(performance.now() - begun),
    model: job?.result?.modelActual ?? null,
    warnings: [...(job?.warnings ?? []), ...(job?.result?.warnings ?? [])],
    verdict: job && verdictOf(job),
    error,
  });
  try {
    if (!request.force && (await isDone(item))) return outcome('skipped', null, null);
    const job = await runOne(engine, await openSource(item.source), request);
    const target = placeOf(item, verdictOf(job));
    await deliver(engine, job, target);
    await removeOther(item, target);
    return { ...outcome('done', job, null), target };
  } catch (error) {
    return outcome('failed', null, toEngineError(error));
  }
}

async function openSource(path: string, param = 'input'): Promise<Readable> {
  try {
    return (await open(path)).createReadStream();
  } catch (error) {
    throw new EngineError('invalid_input', `${path} cannot be read: ${(error as Error).message}`, {
      param,
      cause: error,
    });
  }
}

/** Where a result goes: what is doubtful goes aside, where there is such a place. */
function placeOf({ target, aside }: BatchItem, verdict: Verdict | null): string {
  return aside !== undefined && verdict !== null && isDoubtful(verdict) ? aside : target;
}

/** A result that was made again may have changed places. */
async function removeOther({ target, aside }: BatchItem, taken: string): Promise<void> {
  const other = taken === target ? aside : target;
  if (other !== undefined && other !== taken) await rm(other, { force: true });
}

async function ended(engine: Engine, id: string): Promise<Job> {
  for await (const job of engine.watch(id)) {
    if (!hasEnded(job)) continue;
    if (job.state === 'completed') return job;
    throw job.error ? reviveError(job.error) : new EngineError('cancelled', 'The job was cancelled');
  }
  throw new EngineError('not_found', `${id} is gone`);
}
