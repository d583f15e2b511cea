import type { Batch, Job, JobState } from '../engine/jobs/job-store.js';
import {
  failoverUsed,
  headerText,
  modelActual,
  presentOutput,
  qualityOf,
  type StatusWords,
  timestamp,
  type View,
} from './present.js';
import { errorOf, familyOf, wordsOf } from './present-webhook.js';

export interface BatchView extends View {
  words: StatusWords;
}

/** A batch as its status shows it (contract 47). */
export function presentBatch(batch: Batch, view: BatchView) {
  const { jobs, finishedAt } = batch;
  const count = (...states: JobState[]) => jobs.filter(({ state }) => states.includes(state)).length;
  const completed = count('completed');
  return {
    batch_id: batch.id,
    object: `${familyOf(batch.operation)}.batch`,
    status: view.words[stateOf(batch)],
    total_jobs: jobs.length,
    completed,
    failed: count('failed', 'cancelled'),
    pending: count('queued'),
    processing: count('running'),
    jobs: jobs.map((job) => presentBatchJob(job, view)),
    credits_charged: 0,
    webhook_url: batch.webhook?.url ?? null,
    created_at: timestamp(batch.createdAt),
    completed_at: finishedAt === null ? null : timestamp(finishedAt),
  };
}

/** A batch as it was when it was accepted (contract 46): the same body whenever the submission is repeated. */
export function presentAcceptedBatch(batch: Batch, view: BatchView) {
  const jobs = batch.jobs.map(asAccepted);
  const {
    batch_id,
    object,
    total_jobs,
    jobs: shown,
    credits_charged,
    created_at,
    webhook_url,
  } = presentBatch({ ...batch, jobs }, view);
  return { batch_id, object, total_jobs, jobs: shown, credits_charged, webhook_url, created_at };
}

/** The headers that every answer about a generation carries, for all of its jobs. */
export function batchHeaders({ jobs }: Batch): Record<string, string> {
  return {
    'x-model-actual': headerText([...new Set(jobs.map(modelActual))].join(', ')),
    'x-failover-used': String(jobs.some(failoverUsed)),
  };
}

/** What of it has begun or ended shows how far it is; it has failed when every job of it has. */
function stateOf({ jobs, finishedAt }: Batch): JobState {
  if (finishedAt !== null) return jobs.some(({ state }) => state === 'completed') ? 'completed' : 'failed';
  return jobs.every(({ state, token }) => state === 'queued' && token === 0) ? 'queued' : 'running';
}

/** Only an item that was refused has ended without an attempt. */
function asAccepted(job: Job): Job {
  const isRefused = job.state === 'failed' && job.token === 0;
  return isRefused ? job : { ...job, state: 'queued', result: null, error: null };
}

function presentBatchJob(job: Job, view: BatchView) {
  const [output] = job.result?.outputs ?? [];
  // The params of an item that was refused say what its pictures were.
  const { url = job.params.image_url ?? null, name = job.params.image_name } = job.inputs[0] ?? {};
  return {
    id: job.id,
    ...wordsOf(job),
    image_url: url,
    ...(name !== undefined && { image_name: name }),
    status: view.words[job.state],
    output_url: output ? presentOutput(output, view).url : null,
    ...qualityOf(job),
    error_message: errorOf(job)?.message ?? null,
    credits: 0,
  };
}
