import type Router from '@koa/router';
import { EngineError } from '../../engine/errors.js';
import type { Job } from '../../engine/jobs/job-store.js';
import type { Operation } from '../../engine/operations/operation.js';
import { generationHeaders, lowerStatuses } from '../present.js';
import { presentAcceptedVideo, presentPrediction, presentVideo } from '../present-video.js';
import type { Context, RequestState } from '../request.js';
import type { Surface } from '../server.js';
import { addBatchRoutes } from './batches.js';
import { findJob, submit, viewOf } from './generate.js';

/** Contract 43. */
export const videoPollSeconds = 10;

type WithParams = Context & { params: Record<string, string> };

/** The video operation, if the engine has it. */
export function videoOperation({ engine }: Surface): Operation | undefined {
  return engine.operations.find(({ name }) => name === 'video-generation');
}

/** `/v1/video/generations` with its alias `/v1/video/generate` and its batches, and the older native paths. */
export function addVideoRoutes(router: Router<RequestState>, surface: Surface): void {
  const operation = videoOperation(surface);
  if (!operation) return;
  const path = '/v1/video/generations/batch';
  addBatchRoutes(router, surface, {
    operation,
    path,
    list: 'prompts',
    words: lowerStatuses,
    pollSeconds: videoPollSeconds,
    takeOwn: demandPrompt,
  });
  for (const base of ['/v1/video/generations', '/v1/video/generate']) {
    router.post(base, (ctx) => accept(ctx, operation, { surface, base }));
    router.get(`${base}/:id`, async (ctx) => show(ctx, await findVideo(ctx, surface), surface));
    router.post(`${base}/:id/cancel`, async (ctx) => {
      const { id } = await findVideo(ctx, surface);
      show(ctx, await surface.engine.cancel(id), surface);
    });
  }
  addNativeRoutes(router, surface, operation);
}

/** `/api/v1/model/generateVideo`, and `prediction/:id` for jobs of every kind. */
function addNativeRoutes(router: Router<RequestState>, surface: Surface, operation: Operation): void {
  const base = '/api/v1/model/prediction';
  router.post('/api/v1/model/generateVideo', async (ctx) => {
    const job = await accept(ctx, operation, { surface, base });
    ctx.body = { ...presentAcceptedVideo(job), prediction_id: job.id };
  });
  router.get(`${base}/:id`, async (ctx) => {
    const job = await findJob(ctx, surface);
    describe(ctx, job);
    ctx.body = presentPrediction(job, viewOf(ctx, surface));
  });
}

async function accept(
  ctx: Context,
  operation: Operation,
  { surface, base }: { surface: Surface; base: string },
): Promise<Job> {
  const { job } = await submit(ctx, operation, { surface, pollSeconds: videoPollSeconds, takeOwn: demandPrompt });
  ctx.status = 202;
  ctx.set('Location', `${viewOf(ctx, surface).baseUrl}${base}/${job.id}`);
  ctx.body = presentAcceptedVideo(job);
  return job;
}

/** The wire asks for a prompt, also of a clip from a picture (contract 32); shots are prompts too. Errors: `invalid_input`. */
export function demandPrompt(params: Record<string, unknown>): void {
  const { prompt, multi_shot_prompts: shots } = params;
  if (String(prompt ?? '').trim() !== '' || shots !== undefined) return;
  const got = JSON.stringify(prompt) ?? 'none';
  throw new EngineError('invalid_input', `Expected \`prompt\` to say what to see in the clip, got ${got}`, {
    param: 'prompt',
  });
}

/** The video job of the path. Errors: `not_found`, also for a job of another kind. */
export async function findVideo(ctx: WithParams, surface: Surface): Promise<Job> {
  const job = await findJob(ctx, surface);
  if (job.operation === 'video-generation') return job;
  throw new EngineError('not_found', `\`${job.id}\` is no video: GET /api/generate/status/${job.id}`, { param: 'id' });
}

function show(ctx: Context, job: Job, surface: Surface): void {
  describe(ctx, job);
  ctx.body = presentVideo(job, viewOf(ctx, surface));
}

function describe(ctx: Context, job: Job): void {
  ctx.set({ ...generationHeaders(job), 'Cache-Control': 'no-store' });
  if (job.finishedAt === null) ctx.set('x-poll-interval', String(videoPollSeconds));
}
