import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import type { Job } from '../../engine/jobs/job-store.js';
import { toEngineError } from '../../engine/errors.js';
import { errorBody } from '../errors.js';
import type { PublicJob } from '../present.js';
import type { Context } from '../request.js';
import type { Surface } from '../server.js';

interface Streaming {
  surface: Surface;
  present(job: Job): PublicJob;
}

/** The id of the last event; a reader that comes back with it has seen everything. */
const lastId = 'end';

/**
 * Answers with server-sent events: one `data` line per change of the job, the same JSON as its status; comments keep
 * the connection open; the stream ends with the job, the client or the server.
 */
export function streamJob(ctx: Context, job: Job, { surface, present }: Streaming): void {
  // An EventSource connects again whenever a stream ends; 204 is the standard's way to tell it to stop.
  if (ctx.get('last-event-id') === lastId && job.finishedAt !== null) {
    ctx.status = 204;
    return;
  }
  ctx.type = 'text/event-stream; charset=utf-8';
  ctx.set({ 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' });
  const out = new PassThrough();
  out.on('error', () => {});
  ctx.body = out;
  ctx.flushHeaders();
  void pump(ctx, out, { id: job.id, surface, present });
}

async function pump(
  ctx: Context,
  out: PassThrough,
  { id, surface, present }: Streaming & { id: string },
): Promise<void> {
  const signal = surface.waits.begin(ctx.res);
  const heartbeat = setInterval(() => out.write(': still here\n\n'), surface.options.heartbeatMs ?? 15_000);
  try {
    out.write('retry: 3000\n\n');
    for await (const job of surface.engine.watch(id, signal)) {
      const eventId = job.finishedAt === null ? `${job.token}-${Math.round(job.progress * 1000)}` : lastId;
      const hasRoom = out.write(`id: ${eventId}\ndata: ${JSON.stringify(present(job))}\n\n`);
      if (!hasRoom) await once(out, 'drain', { signal });
    }
  } catch (error) {
    if (!signal.aborted) fail(ctx, out, error);
  } finally {
    clearInterval(heartbeat);
    out.end();
  }
}

/** The status line has gone out: the failure can only be told in the stream. */
function fail(ctx: Context, out: PassThrough, thrown: unknown): void {
  const error = toEngineError(thrown);
  ctx.state.log.error({ err: error.cause ?? error }, 'An event stream failed');
  out.write(`event: error\ndata: ${JSON.stringify(errorBody(error.code, error.message))}\n\n`);
}
