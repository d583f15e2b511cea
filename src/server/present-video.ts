import { debugBlock } from '../engine/api.js';
import type { Job } from '../engine/jobs/job-store.js';
import { failoverUsed, lowerStatuses, modelActual, modelOf, presentOutput, timestamp, type View } from './present.js';
import { errorOf, familyOf, wordsOf } from './present-webhook.js';

/** A video job as it was when it was accepted (contract 35): the same body whenever the submission is repeated. */
export function presentAcceptedVideo(job: Job) {
  return {
    id: job.id,
    object: 'video.generation',
    model: modelOf(job),
    model_actual: job.routing?.requested ?? modelOf(job),
    status: lowerStatuses.running,
    prompt: promptOf(job),
    image_url: imageUrlOf(job),
    credits: 0,
    failover_used: false,
    output_url: null,
    webhook_url: job.webhook?.url ?? null,
    warnings: job.warnings,
    created_at: timestamp(job.createdAt),
  };
}

/** A video job as its status shows it (contract 36). `debug` is there for a job that the router decided about. */
export function presentVideo(job: Job, view: View) {
  const data = outputsOf(job, view);
  const debug = debugBlock(job.routing);
  return {
    ...presentAcceptedVideo(job),
    model_actual: modelActual(job),
    status: lowerStatuses[job.state],
    progress: progressOf(job),
    failover_used: failoverUsed(job),
    ...adjustedOf(job),
    output_url: data[0]?.url ?? null,
    data,
    expires_at: expiryOf(job, view),
    error: errorOf(job),
    warnings: warningsOf(job),
    ...(debug && { debug }),
    completed_at: job.finishedAt === null ? null : timestamp(job.finishedAt),
  };
}

/** Any job as `GET /api/v1/model/prediction/:id` shows it. */
export function presentPrediction(job: Job, view: View) {
  const output = outputsOf(job, view).map(({ url }) => url);
  const debug = debugBlock(job.routing);
  return {
    id: job.id,
    prediction_id: job.id,
    object: `${familyOf(job.operation)}.generation`,
    model: modelOf(job),
    model_actual: modelActual(job),
    status: lowerStatuses[job.state],
    progress: progressOf(job),
    ...wordsOf(job),
    image_url: imageUrlOf(job),
    output_url: output[0] ?? null,
    output,
    expires_at: expiryOf(job, view),
    error: errorOf(job),
    warnings: warningsOf(job),
    credits: 0,
    failover_used: failoverUsed(job),
    webhook_url: job.webhook?.url ?? null,
    ...(debug && { debug }),
    created_at: timestamp(job.createdAt),
    completed_at: job.finishedAt === null ? null : timestamp(job.finishedAt),
  };
}

const soraStatuses = {
  queued: 'queued',
  running: 'in_progress',
  completed: 'completed',
  failed: 'failed',
  cancelled: 'failed',
} satisfies Record<Job['state'], string>;

/** A video job in the shape of OpenAI's `/v1/videos`; `model_actual` and `warnings` are ours. */
export function presentSora(job: Job, view: View) {
  const error = errorOf(job);
  const { finishedAt } = job;
  return {
    id: job.id,
    object: 'video',
    model: modelOf(job),
    status: soraStatuses[job.state],
    progress: progressOf(job),
    created_at: seconds(job.createdAt),
    completed_at: finishedAt === null ? null : seconds(finishedAt),
    expires_at: job.result === null || finishedAt === null ? null : seconds(finishedAt + view.retentionMs),
    prompt: promptOf(job),
    seconds: String(job.params.duration),
    size: sizeOf(job),
    error: error && { code: error.code, message: error.message },
    remixed_from_video_id: null,
    model_actual: modelActual(job),
    warnings: warningsOf(job),
  };
}

/** The size of the clip; until it is there, of the frames that its params ask for. */
function sizeOf({ params, result }: Job): string {
  const [output] = result?.outputs ?? [];
  if (output?.width !== undefined) return `${output.width}x${output.height}`;
  const [across = 9, down = 16] = String(params.aspect_ratio ?? '9:16')
    .split(':')
    .map(Number);
  const unit = Number.parseInt(String(params.resolution), 10) / Math.min(across, down);
  const even = (side: number) => 2 * Math.round((side * unit) / 2);
  return `${even(across)}x${even(down)}`;
}

/** What a job costs that somebody else than planned took (contract 63): nothing, as all do while nobody keeps accounts. */
function adjustedOf(job: Job): { adjusted_credits?: number } {
  return failoverUsed(job) ? { adjusted_credits: 0 } : {};
}

function promptOf({ params }: Job): string | null {
  return typeof params.prompt === 'string' ? params.prompt : null;
}

/** Where the first frame came from, if it came from an address. */
function imageUrlOf({ inputs }: Job): string | null {
  return inputs.find(({ field }) => field === 'image')?.url ?? null;
}

function outputsOf({ result }: Job, view: View) {
  return result?.outputs.map((output) => presentOutput(output, view)) ?? [];
}

function warningsOf({ warnings, result }: Job): string[] {
  return [...warnings, ...(result?.warnings ?? [])];
}

/** 0..100, whole numbers. */
function progressOf({ state, progress }: Job): number {
  return state === 'completed' ? 100 : Math.floor(progress * 100);
}

function expiryOf({ result, finishedAt }: Job, { retentionMs }: View): string | null {
  return result === null || finishedAt === null ? null : timestamp(finishedAt + retentionMs);
}

function seconds(ms: number): number {
  return Math.floor(ms / 1000);
}
