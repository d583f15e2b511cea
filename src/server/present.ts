import { debugBlock } from '../engine/api.js';
import type { Job, JobOutput, JobState } from '../engine/jobs/job-store.js';
import { jobError } from './errors.js';

/** What the same job looks like depends on who asks, and when. */
export interface View {
  /** Start of every URL. */
  baseUrl: string;
  /** How long outputs are kept. */
  retentionMs: number;
  /** Milliseconds since the epoch. */
  now: number;
}

/** The words for the states of a job. */
export type StatusWords = Record<JobState, string>;

/** Of the `/v1/video/*` family and of webhooks, which have no word for a job that was cancelled (contract 7). */
export const lowerStatuses = {
  queued: 'pending',
  running: 'processing',
  completed: 'completed',
  failed: 'failed',
  cancelled: 'failed',
} satisfies StatusWords;

/** Of the `/api/generate/*` family. */
export const upperStatuses = {
  queued: 'PENDING',
  running: 'PROCESSING',
  completed: 'COMPLETED',
  failed: 'FAILED',
  cancelled: 'CANCELED',
} satisfies StatusWords;

/** A job as `GET /api/generate/status/{id}` shows it; `type` is that of its operation. */
export function presentJob(job: Job, type: string, view: View) {
  const { model: _, ...parameters } = job.params;
  const isExpired = job.finishedAt !== null && job.finishedAt + view.retentionMs <= view.now;
  const urls = job.result?.outputs.map((output) => presentOutput(output, view)) ?? [];
  return {
    id: job.id,
    type,
    model: modelOf(job),
    model_actual: modelActual(job),
    status: upperStatuses[job.state],
    /** 0..100, whole numbers. */
    progress: job.state === 'completed' ? 100 : Math.floor(job.progress * 100),
    stage: job.state === 'running' ? job.stage : null,
    output_url: urls[0]?.url ?? null,
    data: urls,
    expires_at: urls.length > 0 && job.finishedAt !== null ? timestamp(job.finishedAt + view.retentionMs) : null,
    expired: urls.length > 0 && isExpired,
    error: job.error === null ? null : jobError(job.error),
    warnings: [...job.warnings, ...(job.result?.warnings ?? [])],
    ...qualityOf(job),
    parameters,
    webhook_url: job.webhook?.url ?? null,
    credits: 0,
    failover_used: failoverUsed(job),
    debug: debugOf(job),
    created_at: timestamp(job.createdAt),
    completed_at: job.finishedAt === null ? null : timestamp(job.finishedAt),
  };
}

export type PublicJob = ReturnType<typeof presentJob>;

/** The job as it was when it was accepted: a replayed submission is answered with the very same body. */
export function presentAccepted(job: Job, type: string, view: View): PublicJob {
  const accepted: Job = {
    ...job,
    state: 'queued',
    result: null,
    error: null,
    routing: routingAtTheDoor(job),
    progress: 0,
    stage: null,
    finishedAt: null,
  };
  return presentJob(accepted, type, view);
}

/** What had been decided when the job was accepted, which does not change. */
export function routingAtTheDoor({ routing }: Job): Job['routing'] {
  return routing && { ...routing, actual: null, submissionFailover: null, asyncFailover: null, calls: [] };
}

/** The head of an OpenAI image answer: `data` follows, as URLs or as base64. */
export function presentImageHead(job: Job) {
  return {
    created: Math.floor((job.finishedAt ?? job.createdAt) / 1000),
    id: job.id,
    model: modelActual(job),
    warnings: [...job.warnings, ...(job.result?.warnings ?? [])],
    ...qualityOf(job),
  };
}

/** A completed job in the OpenAI image shape, its outputs as URLs. */
export function presentImages(job: Job, view: View) {
  return { ...presentImageHead(job), data: (job.result?.outputs ?? []).map((output) => presentOutput(output, view)) };
}

/** The headers that every answer about a generation carries. */
export function generationHeaders(job: Job): Record<string, string> {
  const device = job.result?.facts.device;
  return {
    'x-job-id': job.id,
    'x-model-actual': headerText(modelActual(job)),
    'x-failover-used': String(failoverUsed(job)),
    ...(typeof device === 'string' ? { 'x-device': device } : {}),
    ...qualityHeader(job),
  };
}

/** The verdict on a result, from operations that give one. */
export function qualityOf({ result }: Job): { quality?: object } {
  const quality = result?.facts.quality;
  return typeof quality === 'object' && quality !== null ? { quality } : {};
}

/** The same as a header, for answers that are the picture itself; what is not ASCII is escaped. */
function qualityHeader(job: Job): Record<string, string> {
  const { quality } = qualityOf(job);
  return quality === undefined ? {} : { 'x-quality': escaped(JSON.stringify(quality)) };
}

/** Text of a caller's as a header can carry it. */
export function headerText(text: string): string {
  return escaped(text.slice(0, 200));
}

function escaped(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** One output with its address. */
export function presentOutput(output: JobOutput, { baseUrl }: Pick<View, 'baseUrl'>) {
  const { width = null, height = null } = output;
  return { url: `${baseUrl}/output/${output.blob}`, content_type: output.contentType, width, height };
}

/** What did the work; until then what has it; until then what was asked for, which may be `auto`. */
export function modelActual({ result, routing, ...job }: Job): string {
  return result?.modelActual ?? routing?.actual ?? routing?.requested ?? modelOf(job);
}

/** The model that was asked for. */
export function modelOf(job: Pick<Job, 'params'>): string {
  return String(job.params.model ?? 'auto');
}

/** Whether another backend did the work than the one that the request would have gone to. */
export function failoverUsed({ routing }: Job): boolean {
  return routing !== null && routing.submissionFailover !== null;
}

/** What the router decided, and what the work was like; null before there is anything to say. */
function debugOf({ routing, result }: Job): Record<string, unknown> | null {
  if (routing === null && result === null) return null;
  return { ...debugBlock(routing), ...inSnakeCase(result?.facts ?? {}) };
}

function inSnakeCase(facts: Record<string, unknown>): Record<string, unknown> {
  const rename = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return Object.fromEntries(Object.entries(facts).map(([name, value]) => [rename(name), value]));
}

/** `2026-03-27T18:30:00Z`. */
export function timestamp(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
}
