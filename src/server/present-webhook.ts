import type { WebhookPresenter } from '../engine/api.js';
import type { Batch, Job } from '../engine/jobs/job-store.js';
import { jobError } from './errors.js';
import { failoverUsed, modelActual, modelOf, presentOutput, qualityOf, timestamp } from './present.js';

/** The bodies and event names of contract 73 to 78. */
export const webhookPresenter: WebhookPresenter = {
  job(job, baseUrl) {
    const object = `${familyOf(job.operation)}.generation`;
    const status = endOf(job);
    return { event: `${object}.${status}`, body: { id: job.id, object, ...presentEnd(job, baseUrl) } };
  },
  batch(batch, baseUrl) {
    const object = `${familyOf(batch.operation)}.batch`;
    const { status, ...rest } = presentBatchEnd(batch, baseUrl);
    return { event: `${object}.${status}`, body: { batch_id: batch.id, object, status, ...rest } };
  },
};

/** `video-generation` is `video`, `background-removal` is `background_removal`, `chart-to-video` is `chart_video`. */
export function familyOf(operation: string): string {
  return operation
    .replace(/-generation$/, '')
    .replace('-to-', '-')
    .replaceAll('-', '_');
}

/** How an ended job ended, in the two words that there are for it: one that was cancelled has made nothing. */
export function endOf(job: Job): 'completed' | 'failed' {
  return job.state === 'completed' ? 'completed' : 'failed';
}

/** Why a job has made nothing; null if it has, or still may. */
export function errorOf(job: Job): ReturnType<typeof jobError> | null {
  if (job.error !== null) return jobError(job.error);
  if (job.state !== 'cancelled') return null;
  return jobError({ code: 'cancelled', message: 'The job was cancelled', details: {} });
}

/** What was asked for in words: these params stand at the top of a body. */
const wordParams = ['prompt', 'text', 'voice', 'language'];

/** The words of a request. */
export function wordsOf({ params }: Job): Record<string, unknown> {
  return Object.fromEntries(wordParams.filter((name) => name in params).map((name) => [name, params[name]]));
}

function presentEnd(job: Job, baseUrl: string) {
  const error = errorOf(job);
  return {
    status: endOf(job),
    model: modelOf(job),
    model_actual: modelActual(job),
    ...wordsOf(job),
    ...presentMade(job, baseUrl),
    ...qualityOf(job),
    ...(error && { error }),
    error_message: error?.message ?? null,
    credits: 0,
    ...(error && { credits_refunded: 0 }),
    failover_used: failoverUsed(job),
    completed_at: timestamp(job.finishedAt ?? job.createdAt),
  };
}

/** The first output, and what is known of it. */
function presentMade(job: Job, baseUrl: string) {
  const [output] = job.result?.outputs ?? [];
  if (!output) return { output_url: null };
  const { revisedPrompt, durationSeconds } = job.result?.facts ?? {};
  return {
    output_url: presentOutput(output, { baseUrl }).url,
    ...(revisedPrompt === undefined ? {} : { revised_prompt: revisedPrompt }),
    ...(durationSeconds === undefined ? {} : { duration_seconds: durationSeconds }),
    ...(output.width === undefined ? {} : { width: output.width, height: output.height }),
  };
}

function presentBatchEnd({ jobs, finishedAt, createdAt }: Batch, baseUrl: string) {
  const completed = jobs.filter((job) => job.state === 'completed').length;
  return {
    status: completed > 0 ? 'completed' : 'failed',
    total_jobs: jobs.length,
    completed,
    failed: jobs.length - completed,
    jobs: jobs.map((job) => ({
      id: job.id,
      ...wordsOf(job),
      status: endOf(job),
      output_url: presentMade(job, baseUrl).output_url,
      error_message: errorOf(job)?.message ?? null,
      credits: 0,
    })),
    total_credits: 0,
    completed_at: timestamp(finishedAt ?? createdAt),
  };
}
