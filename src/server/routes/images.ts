import { Readable } from 'node:stream';
import type Router from '@koa/router';
import type { Engine } from '../../engine/api.js';
import { EngineError } from '../../engine/errors.js';
import type { Job, JobOutput } from '../../engine/jobs/job-store.js';
import type { Operation } from '../../engine/operations/operation.js';
import { sendError, sendJobError } from '../errors.js';
import { generationHeaders, presentImageHead, presentImages } from '../present.js';
import type { Context, RequestState } from '../request.js';
import type { Surface } from '../server.js';
import { toBase64 } from '../base64.js';
import type { WaitEnd } from '../waits.js';
import { submit, viewOf } from './generate.js';
import { canStream, streamImage } from './image-stream.js';

type Shape = 'url' | 'b64_json' | 'bytes' | 'stream';

/** Priority: before the jobs that were only queued; the connections that the server takes bound how many can come first. */
export const someoneWaits = 1;

/** The synchronous twins of the operations: the same jobs, waited for, answered in the OpenAI image shape or with the bytes. */
export function addImageRoutes(router: Router<RequestState>, surface: Surface): void {
  for (const operation of surface.engine.operations) {
    for (const path of operation.syncPaths) {
      router.post(`/v1/images/${path}`, (ctx) => runAndAnswer(ctx, operation, surface));
    }
  }
}

async function runAndAnswer(ctx: Context, operation: Operation, surface: Surface): Promise<void> {
  let shape = 'url' as Shape;
  const takeOwn = (params: Record<string, unknown>) => {
    shape = takeStream(params, operation) ? 'stream' : takeShape(ctx, params);
  };
  const { job } = await submit(ctx, operation, { surface, takeOwn, priority: someoneWaits });
  if (shape === 'stream') return streamImage(ctx, job, surface);
  const ended = await waitForEnd(ctx, job, surface);
  ctx.remove('x-poll-interval');
  ctx.set({ ...generationHeaders(ended), 'Cache-Control': 'no-store', Vary: 'Accept' });
  if (ended.error !== null) return sendJobError(ctx, ended.error);
  if (ended.result === null) return sendError(ctx, 'cancelled', `The job ${job.id} was cancelled`);
  const { outputs } = ended.result;
  if (shape === 'bytes' && outputs[0] !== undefined) return sendBytes(ctx, outputs[0], surface.engine);
  if (shape === 'b64_json') return sendBase64(ctx, ended, { outputs, engine: surface.engine });
  ctx.body = presentImages(ended, viewOf(ctx, surface));
}

/** Whether the caller wants events instead of one answer; `partial_images` says how often, and there are none to give. */
function takeStream(params: Record<string, unknown>, { name }: Operation): boolean {
  if (!canStream(name)) return false;
  const { stream } = params;
  for (const own of ['stream', 'partial_images']) delete params[own];
  if (stream !== true && stream !== 'true') return false;
  delete params.response_format;
  return true;
}

/** How the caller wants the picture: by `response_format`, otherwise by the Accept header. */
function takeShape(ctx: Context, params: Record<string, unknown>): Shape {
  const format = params.response_format ?? undefined;
  delete params.response_format;
  if (format === 'url' || format === 'b64_json') return format;
  if (format !== undefined) {
    const message = `Expected \`response_format\` to be url or b64_json, got ${JSON.stringify(format)?.slice(0, 40)}`;
    throw new EngineError('invalid_input', message, { param: 'response_format' });
  }
  const best = ctx.accepts('application/json', 'image/png', 'image/webp', 'image/jpeg');
  return typeof best === 'string' && best.startsWith('image/') ? 'bytes' : 'url';
}

/**
 * The job as it ended. A client that leaves takes its job with it, unless it gave an Idempotency-Key, with which it
 * can come back for the result. Errors: `cancelled` (nobody is left to be told), `busy` (the server stops).
 */
export async function waitForEnd(ctx: Context, { id }: Job, { engine, waits }: Surface): Promise<Job> {
  const signal = waits.begin(ctx.res);
  for await (const job of engine.watch(id, signal)) {
    if (job.finishedAt !== null) return job;
  }
  const canComeBack = ctx.get('idempotency-key') !== '';
  if (signal.reason === ('client left' satisfies WaitEnd)) {
    if (!canComeBack) await engine.cancel(id);
    throw new EngineError('cancelled', 'The client left');
  }
  // A repeated request without a key would be a second job beside the one that goes on later.
  ctx.set('x-should-retry', String(canComeBack));
  const message = `The server stops; the job goes on when it is back: GET /api/generate/status/${id}`;
  throw new EngineError('busy', message, { retryAfterSeconds: 10 });
}

/** Answers with a picture itself. */
export async function sendBytes(ctx: Context, { blob, contentType }: JobOutput, engine: Engine): Promise<void> {
  const { bytes } = await engine.statOutput(blob);
  const body = await engine.readOutput(blob);
  ctx.type = contentType;
  ctx.body = body;
  ctx.length = bytes;
}

interface Outputs {
  outputs: JobOutput[];
  engine: Engine;
}

async function sendBase64(ctx: Context, job: Job, { outputs, engine }: Outputs): Promise<void> {
  // An output that is gone is an error while there is a status line to say so.
  for (const { blob } of outputs) await engine.statOutput(blob);
  ctx.type = 'application/json; charset=utf-8';
  ctx.body = Readable.from(base64Answer(presentImageHead(job), { outputs, engine }), { objectMode: false });
}

/** The JSON text piece by piece: a large picture as one string would be held three times in memory. */
async function* base64Answer(head: object, { outputs, engine }: Outputs): AsyncGenerator<string> {
  yield `${JSON.stringify(head).slice(0, -1)},"data":[`;
  for (const [index, { blob }] of outputs.entries()) {
    yield `${index === 0 ? '' : ','}{"b64_json":"`;
    yield* toBase64(await engine.readOutput(blob));
    yield '"}';
  }
  yield ']}';
}
