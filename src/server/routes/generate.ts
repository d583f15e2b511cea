import type Router from '@koa/router';
import type { Submitted } from '../../engine/api.js';
import { EngineError, toEngineError } from '../../engine/errors.js';
import type { Job } from '../../engine/jobs/job-store.js';
import type { Operation } from '../../engine/operations/operation.js';
import { generationHeaders, presentAccepted, presentJob, type View } from '../present.js';
import { baseUrl, type Context, ownBases, type RequestState } from '../request.js';
import type { Surface } from '../server.js';
import { readSubmission, type TakeOwn } from '../upload.js';
import { type Notice, takeNotice } from '../webhook-request.js';
import { streamJob } from './events.js';

/** Seconds between two looks at a job that a client is advised to leave. */
const pollIntervalSeconds = 1;

/** `POST /api/generate/<operation>` answers 202 at once; what became of it is under `/api/generate/status/{id}`. */
export function addGenerateRoutes(router: Router<RequestState>, surface: Surface): void {
  const { engine } = surface;
  for (const operation of engine.operations) {
    router.post(`/api/generate/${operation.name}`, async (ctx) => {
      const { job } = await submit(ctx, operation, { surface });
      const view = viewOf(ctx, surface);
      ctx.status = 202;
      ctx.set('Location', `${view.baseUrl}/api/generate/status/${job.id}`);
      ctx.body = presentAccepted(job, operation.type, view);
    });
  }
  router.get('/api/generate/status/:id', async (ctx) => {
    showJob(ctx, await findJob(ctx, surface), surface);
  });
  router.get('/api/generate/status/:id/events', async (ctx) => {
    const job = await findJob(ctx, surface);
    const type = typeOf(job, surface);
    streamJob(ctx, job, { surface, present: (changed) => presentJob(changed, type, viewOf(ctx, surface)) });
  });
  router.post('/api/generate/:id/cancel', async (ctx) => {
    const { id } = await findJob(ctx, surface);
    showJob(ctx, await engine.cancel(id), surface);
  });
}

export interface SubmitOptions {
  surface: Surface;
  /** Takes what concerns the answer and not the job out of the params. */
  takeOwn?: TakeOwn;
  /** Default 0. */
  priority?: number;
  /** Seconds between two looks that a client is advised to leave; default 1. */
  pollSeconds?: number;
}

/** Reads a request and stores its job; sets the headers that tell of it. */
export async function submit(
  ctx: Context,
  operation: Operation,
  { surface, takeOwn, priority = 0, pollSeconds = pollIntervalSeconds }: SubmitOptions,
): Promise<Submitted> {
  const { engine, options, uploads } = surface;
  let notice: Notice = { autoRetry: false };
  const { params, inputs } = await readSubmission(ctx, operation, {
    engine,
    limits: uploads,
    takeOwn(own, pictures) {
      notice = takeNotice(own, viewOf(ctx, surface), ctx);
      takeOwn?.(own, pictures);
    },
  });
  const submitted = await engine.submit({
    operation: operation.name,
    owner: ctx.state.owner,
    params,
    inputs,
    ...notice,
    idempotencyKey: ctx.get('idempotency-key') || undefined,
    priority,
    ownBases: ownBases(ctx, options.publicBaseUrl),
  });
  const { job, replayed } = submitted;
  ctx.state.log = ctx.state.log.child({ job: job.id });
  ctx.set({ ...generationHeaders(job), 'x-poll-interval': String(pollSeconds) });
  if (replayed) ctx.set('Idempotent-Replayed', 'true');
  return submitted;
}

/** How jobs look to this caller now. */
export function viewOf(ctx: Context, { options, now }: Surface): View {
  return { baseUrl: baseUrl(ctx, options.publicBaseUrl), retentionMs: options.retentionMs, now: now() };
}

/** The job of the path. Errors: `not_found`, in the same words for a job of another key: nobody learns that it is there. */
export async function findJob(ctx: Context & { params: Record<string, string> }, { engine }: Surface): Promise<Job> {
  const id = ctx.params.id ?? '';
  const job = await engine.get(id).catch((error: unknown) => {
    if (toEngineError(error).code === 'not_found') return null;
    throw error;
  });
  if (job?.owner === ctx.state.owner) return job;
  throw new EngineError('not_found', `There is no job \`${id}\`; it may be past its time`, { param: 'id' });
}

function showJob(ctx: Context, job: Job, surface: Surface): void {
  ctx.set({ ...generationHeaders(job), 'Cache-Control': 'no-store' });
  if (job.finishedAt === null) ctx.set('x-poll-interval', String(pollIntervalSeconds));
  ctx.body = presentJob(job, typeOf(job, surface), viewOf(ctx, surface));
}

function typeOf(job: Job, { engine }: Surface): string {
  // A job may outlive its operation in an older database.
  const fallback = job.operation.toUpperCase().replaceAll('-', '_');
  return engine.operations.find(({ name }) => name === job.operation)?.type ?? fallback;
}
