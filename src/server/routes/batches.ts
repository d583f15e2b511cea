import type Router from '@koa/router';
import { EngineError, toEngineError } from '../../engine/errors.js';
import type { Batch } from '../../engine/jobs/job-store.js';
import type { Operation } from '../../engine/operations/operation.js';
import { readBatch } from '../batch-upload.js';
import { type StatusWords, upperStatuses } from '../present.js';
import { batchHeaders, presentAcceptedBatch, presentBatch } from '../present-batch.js';
import { type Context, ownBases, type RequestState } from '../request.js';
import type { Surface } from '../server.js';
import type { TakeOwn } from '../upload.js';
import { viewOf } from './generate.js';

export interface BatchPlace {
  operation: Operation;
  /** `/v1/video/generations/batch` */
  path: string;
  /** Name of the list of items in JSON. */
  list: string;
  words: StatusWords;
  /** Seconds between two looks that a client is advised to leave. */
  pollSeconds: number;
  /** Checks the params of an item, or takes out what is not the job's; what it throws is that item's refusal. */
  takeOwn?: TakeOwn;
}

/** `POST /api/generate/<operation>/batch` and what belongs to it, for every operation that can be ordered many times at once. */
export function addGenerateBatchRoutes(router: Router<RequestState>, surface: Surface): void {
  for (const operation of surface.engine.operations) {
    if (!operation.batch) continue;
    const list = 'prompt' in operation.params.shape ? 'prompts' : `${operation.pictures[0]?.field}s`;
    const path = `/api/generate/${operation.name}/batch`;
    addBatchRoutes(router, surface, { operation, path, list, words: upperStatuses, pollSeconds: 1 });
  }
  router.get('/api/generate/status/:id', async (ctx, next) => {
    const id = ctx.params.id ?? '';
    const operation = surface.engine.operations.find(({ batch }) => batch && id.startsWith(`${batch.idPrefix}_`));
    // Jobs are shown by the route of the same path.
    if (!operation) return next();
    const batch = await findBatch(ctx, surface, operation);
    show(ctx, batch, { surface, words: upperStatuses, pollSeconds: 1 });
  });
}

/** Submits, shows and cancels batches of one operation at one place. */
export function addBatchRoutes(router: Router<RequestState>, surface: Surface, place: BatchPlace): void {
  const { path, operation } = place;
  router.post(path, (ctx) => submitBatch(ctx, surface, place));
  router.get(`${path}/:id`, async (ctx) => {
    show(ctx, await findBatch(ctx, surface, operation), { surface, ...place });
  });
  router.post(`${path}/:id/cancel`, async (ctx) => {
    const { id } = await findBatch(ctx, surface, operation);
    show(ctx, await surface.engine.cancelBatch(id), { surface, ...place });
  });
}

interface Showing extends Pick<BatchPlace, 'words' | 'pollSeconds'> {
  surface: Surface;
}

function show(ctx: Context, batch: Batch, { surface, words, pollSeconds }: Showing): void {
  ctx.set({ ...batchHeaders(batch), 'Cache-Control': 'no-store' });
  if (batch.finishedAt === null) ctx.set('x-poll-interval', String(pollSeconds));
  ctx.body = presentBatch(batch, { ...viewOf(ctx, surface), words });
}

async function submitBatch(ctx: Context, surface: Surface, { operation, path, list, ...place }: BatchPlace) {
  const { engine, uploads, options } = surface;
  const view = viewOf(ctx, surface);
  const intake = { engine, limits: uploads, takeOwn: place.takeOwn };
  const request = await readBatch(ctx, { operation, list, intake, baseUrl: view.baseUrl });
  const { batch, replayed } = await engine.submitBatch({
    ...request,
    operation: operation.name,
    owner: ctx.state.owner,
    param: list,
    idempotencyKey: ctx.get('idempotency-key') || undefined,
    ownBases: ownBases(ctx, options.publicBaseUrl),
  });
  ctx.state.log = ctx.state.log.child({ batch: batch.id });
  ctx.status = 202;
  ctx.set({
    ...batchHeaders(batch),
    Location: `${view.baseUrl}${path}/${batch.id}`,
    'x-poll-interval': String(place.pollSeconds),
  });
  if (replayed) ctx.set('Idempotent-Replayed', 'true');
  ctx.body = presentAcceptedBatch(batch, { ...view, words: place.words });
}

/** The batch of the path. Errors: `not_found`, in the same words for one of another key or another operation. */
async function findBatch(
  ctx: Context & { params: Record<string, string> },
  { engine }: Surface,
  operation: Operation,
): Promise<Batch> {
  const id = ctx.params.id ?? '';
  const batch = await engine.getBatch(id).catch((error: unknown) => {
    if (toEngineError(error).code === 'not_found') return null;
    throw error;
  });
  if (batch?.owner === ctx.state.owner && batch.operation === operation.name) return batch;
  throw new EngineError('not_found', `There is no batch \`${id.slice(0, 100)}\`; it may be past its time`, {
    param: 'id',
  });
}
