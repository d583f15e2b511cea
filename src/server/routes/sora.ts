import type Router from '@koa/router';
import { EngineError } from '../../engine/errors.js';
import type { Job } from '../../engine/jobs/job-store.js';
import type { Operation } from '../../engine/operations/operation.js';
import { generationHeaders } from '../present.js';
import { presentSora } from '../present-video.js';
import type { Context, RequestState } from '../request.js';
import type { Surface } from '../server.js';
import { submit, viewOf } from './generate.js';
import { sendOutput } from './output.js';
import { findVideo, videoOperation, videoPollSeconds } from './video.js';

/**
 * OpenAI's `/v1/videos`, which its own service ended on 2026-09-24: clients written for it go on unchanged (contract
 * 44). `model`, `seconds` and `size` are translated, everything else is as at `/v1/video/generations`.
 */
export function addSoraRoutes(router: Router<RequestState>, surface: Surface): void {
  const operation = videoOperation(surface);
  if (!operation) return;
  router.post('/v1/videos', async (ctx) => {
    const takeOwn = (params: Record<string, unknown>, pictures: number) => translate(params, { operation, pictures });
    const { job } = await submit(ctx, operation, { surface, takeOwn, pollSeconds: videoPollSeconds });
    ctx.body = presentSora(asAccepted(job), viewOf(ctx, surface));
  });
  router.get('/v1/videos/:id', async (ctx) => {
    const job = await findVideo(ctx, surface);
    ctx.set({ ...generationHeaders(job), 'Cache-Control': 'no-store' });
    if (job.finishedAt === null) ctx.set('x-poll-interval', String(videoPollSeconds));
    ctx.body = presentSora(job, viewOf(ctx, surface));
  });
  router.get('/v1/videos/:id/content', (ctx) => sendContent(ctx, surface));
}

/** As it was when it was accepted, so that a repeated submission is answered the same. */
function asAccepted(job: Job): Job {
  return { ...job, state: 'queued', result: null, error: null, routing: null, progress: 0, finishedAt: null };
}

const defaults = { seconds: '4', size: '720x1280' };

/** From the params of `/v1/videos` to those of the operation. Errors: `invalid_input`. */
function translate(
  params: Record<string, unknown>,
  { operation, pictures }: { operation: Operation; pictures: number },
): void {
  const { seconds = defaults.seconds, size, model } = params;
  delete params.seconds;
  delete params.size;
  // No backend is called that any more; what one is asked for by its own name keeps it.
  if (typeof model === 'string' && /^sora\b/.test(model)) params.model = 'auto';
  params.duration = readSeconds(seconds, operation);
  // Without a size the shape follows the picture, where there is one.
  if (size !== undefined || pictures === 0) Object.assign(params, readSize(size ?? defaults.size));
}

function readSeconds(seconds: unknown, { params }: Operation): unknown {
  const { error } = params.pick({ duration: true }).safeParse({ duration: seconds });
  if (!error) return seconds;
  throw wrong('seconds', error.issues[0]?.message ?? 'a whole number', seconds);
}

const ratios = ['21:9', '16:9', '4:3', '1:1', '3:4', '9:16'];
const shorterSides = [480, 720, 1080];

/** The shape and the resolution nearest to a size such as `1792x1024`. */
function readSize(size: unknown): { aspect_ratio: string; resolution: string } {
  const [, width, height] = /^(\d{2,5})x(\d{2,5})$/.exec(String(size)) ?? [];
  if (width === undefined || height === undefined) throw wrong('size', 'width and height such as 1280x720', size);
  const shape = Number(width) / Number(height);
  const distance = (ratio: string) => Math.abs(Math.log(shapeOf(ratio) / shape));
  const [aspect_ratio = '9:16'] = ratios.toSorted((a, b) => distance(a) - distance(b));
  const shorter = Math.min(Number(width), Number(height));
  const side = shorterSides.find((each) => each >= shorter) ?? shorterSides.at(-1);
  return { aspect_ratio, resolution: `${side}p` };
}

function shapeOf(ratio: string): number {
  const [across = 1, down = 1] = ratio.split(':').map(Number);
  return across / down;
}

function wrong(param: string, expected: string, got: unknown): EngineError {
  const shown = JSON.stringify(got)?.slice(0, 60);
  return new EngineError('invalid_input', `Expected \`${param}\` to be ${expected}, got ${shown}`, { param });
}

/** The clip itself. Errors: `not_found` while there is none. */
async function sendContent(ctx: Context & { params: Record<string, string> }, surface: Surface): Promise<void> {
  const { variant = 'video' } = ctx.query;
  if (variant !== 'video') throw wrong('variant', 'video', variant);
  const job = await findVideo(ctx, surface);
  const [output] = job.result?.outputs ?? [];
  if (output) {
    await sendOutput(ctx, output.blob, surface);
    // Unlike the address of an output, this one is for the holder of the key.
    ctx.set('Cache-Control', 'private, no-cache');
    return;
  }
  const reason = job.finishedAt === null ? 'has not been made yet' : 'was not made';
  throw new EngineError('not_found', `The clip of \`${job.id}\` ${reason}: GET /v1/videos/${job.id}`, { param: 'id' });
}
