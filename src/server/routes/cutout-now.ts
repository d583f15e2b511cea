import type { Job } from '../../engine/jobs/job-store.js';
import type { Operation } from '../../engine/operations/operation.js';
import { sendError, sendJobError } from '../errors.js';
import type { Context } from '../request.js';
import type { Surface } from '../server.js';
import type { TakeOwn } from '../upload.js';
import { submit } from './generate.js';
import { someoneWaits, waitForEnd } from './images.js';

/** What a route needs to remove backgrounds; undefined where this engine removes none. */
export interface CutoutDesk {
  operation: Operation;
  surface: Surface;
}

export function cutoutDesk(surface: Surface): CutoutDesk | undefined {
  const operation = surface.engine.operations.find(({ name }) => name === 'background-removal');
  return operation && { operation, surface };
}

/**
 * Removes a background for a caller who waits and speaks another service's language, into ours translated by `takeOwn`.
 * The completed job, or null when the caller was told already why there is none.
 */
export async function removeBackground(
  ctx: Context,
  { operation, surface }: CutoutDesk,
  takeOwn: TakeOwn,
): Promise<Job | null> {
  const { job } = await submit(ctx, operation, { surface, takeOwn, priority: someoneWaits });
  const ended = await waitForEnd(ctx, job, surface);
  ctx.remove('x-poll-interval');
  ctx.set({ 'Cache-Control': 'no-store', Vary: 'Accept' });
  if (ended.result !== null) return ended;
  if (ended.error === null) sendError(ctx, 'cancelled', `The job ${job.id} was cancelled`);
  else sendJobError(ctx, ended.error);
  return null;
}
