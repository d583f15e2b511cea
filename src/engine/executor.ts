import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Meter } from './api.js';
import type { BlobStore, Materialized } from './blobs/blob-store.js';
import type { Downloader } from './downloads/download.js';
import { EngineError, isRetryable, serializeError, toEngineError } from './errors.js';
import type { Claim, Job, JobInput, JobOutput, JobResult, JobStore } from './jobs/job-store.js';
import { discard } from './submissions/intake.js';
import type { Log } from './log.js';
import { contentTypes } from './media/media.js';
import type { Done } from './perform.js';
import type { Prepared } from './routing/routed.js';
import type { TaskRunner } from './task.js';

export interface ExecutorParts {
  jobs: JobStore;
  blobs: BlobStore;
  download: Pick<Downloader, 'open'>;
  runner: Pick<TaskRunner, 'inspect'>;
  /** Folder for temporary files, on the same file system as the blobs. */
  folder: string;
  /** Has the job done, here or elsewhere. Errors: those of the operation, the runner and the router. */
  perform(job: Job, prepared: Prepared): Promise<Done>;
  meter: Meter;
  log: Log;
}

/** How an attempt is told to stop: the reason is an EngineError (`cancelled`, `timeout`). */
export interface AttemptOptions {
  signal: AbortSignal;
  /** Called when the task has been handed to the runner, which counts it from then on. */
  onStarted(): void;
}

/** Seconds before the second and the third attempt. */
const backOffMs = [1_000, 5_000];

/**
 * Runs one claimed attempt to its end: inputs → task → stored outputs → one guarded transition. Never rejects; whatever
 * happens ends in the row, or in nothing when the attempt has lost its claim.
 */
export async function execute(job: Job, parts: ExecutorParts, options: AttemptOptions): Promise<void> {
  const claim: Claim = { id: job.id, token: job.token };
  const folder = join(parts.folder, `${job.id}-${job.token}`);
  const opened: Materialized[] = [];
  try {
    const inputs = await openInputs(job, { ...parts, folder, opened, signal: options.signal });
    const done = await parts.perform(job, { job, folder, ...inputs, ...options, onProgress: teller(job, parts) });
    await complete(claim, await storeResult(done, parts.blobs), job, parts);
  } catch (error) {
    await settle(job, claim, stopReason(options.signal) ?? toEngineError(error), parts);
  } finally {
    await Promise.all(opened.map((input) => input.release()));
    await rm(folder, { recursive: true, force: true });
  }
}

interface Opening extends Pick<ExecutorParts, 'blobs' | 'download' | 'runner' | 'folder'> {
  /** To be released at the end. */
  opened: Materialized[];
  signal: AbortSignal;
}

async function openInputs(job: Job, parts: Opening): Promise<Pick<Prepared, 'inputs' | 'inputFiles'>> {
  const inputs: Record<string, string[]> = {};
  const inputFiles: { path: string; contentType: string }[] = [];
  for (const [at, input] of job.inputs.entries()) {
    const file = await openInput(input, at, parts);
    inputs[input.field] = [...(inputs[input.field] ?? []), file.path];
    inputFiles.push(file);
  }
  return { inputs, inputFiles };
}

/** A stored picture, or one whose host was too slow for the answer: it is fetched now, and looked at as at the door. */
async function openInput(
  { field, blob, contentType, url = '' }: JobInput,
  at: number,
  { blobs, download, runner, folder, opened, signal }: Opening,
): Promise<{ path: string; contentType: string }> {
  if (blob !== null) {
    const local = await blobs.materialize(blob);
    opened.push(local);
    return { path: local.path, contentType };
  }
  const param = `${field}_url`;
  const path = join(folder, `input-${at}`);
  await mkdir(folder, { recursive: true });
  const { stream } = await download.open(url, { param, signal });
  await pipeline(stream, createWriteStream(path), { signal });
  return { path, contentType: contentTypes[(await runner.inspect(path, param)).format] };
}

/** Progress is news, not state: losing one changes nothing. */
function teller(job: Job, { jobs, log }: ExecutorParts): Prepared['onProgress'] {
  return ({ fraction, stage }) => {
    jobs.progress(job, fraction, stage).catch((error) => log.debug({ job: job.id, error }, 'progress not stored'));
  };
}

async function storeResult(
  { outputs: files, modelActual, warnings, facts }: Done,
  blobs: BlobStore,
): Promise<JobResult> {
  const outputs: JobOutput[] = [];
  for (const { path, ...file } of files) {
    const blob = await blobs.adopt(path, file.format);
    outputs.push({ ...file, blob: blob.id });
  }
  return { outputs, modelActual, warnings, facts };
}

async function complete(claim: Claim, result: JobResult, job: Job, parts: ExecutorParts): Promise<void> {
  const isOurs = await acknowledge(() => parts.jobs.complete(claim, result));
  if (isOurs) return finish(job, 'completed', parts, result);
  parts.meter.leaseLost();
  parts.log.warn({ job: job.id, token: claim.token }, 'lease lost: the result of a late attempt is dropped');
  await Promise.all(result.outputs.map((output) => parts.blobs.remove(output.blob)));
}

/** Turns the failure of an attempt into its transition. */
async function settle(job: Job, claim: Claim, error: EngineError, parts: ExecutorParts): Promise<void> {
  const { jobs, log } = parts;
  const level = error.code === 'internal' || error.code === 'crashed' ? 'error' : 'info';
  log[level]({ job: job.id, attempt: job.attempt, code: error.code, cause: error.cause }, error.message);
  try {
    if (error.code === 'busy') return void (await acknowledge(() => jobs.release(claim)));
    if (error.code === 'interrupted') return void (await acknowledge(() => jobs.interrupt(claim)));
    if (isWorthAnother(error, job)) {
      return void (await acknowledge(() => jobs.retryLater(claim, serializeError(error), backOff(job))));
    }
    const end = error.code === 'cancelled' ? jobs.acknowledgeCancel(claim) : jobs.fail(claim, serializeError(error));
    if (await end) await finish(job, error.code === 'cancelled' ? 'cancelled' : 'failed', parts);
  } catch (unwritten) {
    // The lease runs out and the sweep gives the job another attempt.
    log.error({ job: job.id, error: unwritten }, 'the end of an attempt could not be written');
  }
}

/** The router has tried everybody; trying them all once more is for the submitter to ask for. */
function isWorthAnother({ code }: EngineError, { attempt, maxAttempts, autoRetry }: Job): boolean {
  return attempt < maxAttempts && (code === 'provider_unavailable' ? autoRetry : isRetryable(code));
}

async function finish(
  job: Job,
  state: string,
  { blobs, meter, log }: ExecutorParts,
  result?: JobResult,
): Promise<void> {
  const startedAt = job.startedAt ?? job.createdAt;
  meter.jobEnded(job.operation, state, startedAt - job.createdAt, Date.now() - startedAt);
  for (const [stage, ms] of Object.entries(stageTimes(result))) meter.stage(stage, ms);
  log.info({ job: job.id, operation: job.operation, attempt: job.attempt, state }, 'job ended');
  // Inputs serve no one after the end; what a crash here leaves behind goes with the retention.
  await discard(job.inputs, blobs);
}

function stageTimes(result: JobResult | undefined): Record<string, number> {
  return (result?.facts.stageMs as Record<string, number> | undefined) ?? {};
}

/** Writes the outcome, trying again on database trouble: the acknowledgement is repeated, never the work. */
async function acknowledge(write: () => Promise<boolean>): Promise<boolean> {
  for (const pauseMs of [100, 1_000]) {
    try {
      return await write();
    } catch {
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
  return write();
}

function stopReason(signal: AbortSignal): EngineError | null {
  return signal.aborted && signal.reason instanceof EngineError ? signal.reason : null;
}

function backOff(job: Job): number {
  return backOffMs[Math.min(job.attempt, backOffMs.length) - 1] ?? 0;
}
