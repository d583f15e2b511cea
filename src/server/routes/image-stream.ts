import { Readable } from 'node:stream';
import type { Engine } from '../../engine/api.js';
import { toEngineError } from '../../engine/errors.js';
import type { Job } from '../../engine/jobs/job-store.js';
import { toBase64 } from '../base64.js';
import { errorBody, jobError } from '../errors.js';
import type { Context } from '../request.js';
import type { Surface } from '../server.js';

/** The events of OpenAI's streamed pictures, by operation; an operation that is not here cannot be streamed. */
const eventNames: Record<string, string> = { 'image-edit': 'image_edit', 'image-generation': 'image_generation' };

/** Whether the answers of an operation can be streamed as OpenAI's clients read them. */
export function canStream(operation: string): boolean {
  return eventNames[operation] !== undefined;
}

/**
 * Answers with server-sent events as OpenAI's API does: comments while the job runs, then `….completed` with the picture
 * as base64. There are no partial pictures: nothing here works from noise to picture.
 */
export function streamImage(ctx: Context, job: Job, surface: Surface): void {
  ctx.type = 'text/event-stream; charset=utf-8';
  ctx.set({ 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' });
  ctx.body = Readable.from(events(ctx, job, surface), { objectMode: false });
}

async function* events(ctx: Context, { id, operation }: Job, { engine, waits }: Surface): AsyncGenerator<string> {
  const signal = waits.begin(ctx.res);
  yield ': accepted\n\n';
  try {
    for await (const job of engine.watch(id, signal)) {
      if (job.finishedAt === null) yield `: ${Math.floor(job.progress * 100)} %\n\n`;
      else if (job.result !== null) yield* completed(job, eventNames[operation] ?? operation, engine);
      else yield `event: error\ndata: ${JSON.stringify(failureOf(job))}\n\n`;
    }
  } catch (thrown) {
    const error = toEngineError(thrown);
    ctx.state.log.error({ err: error.cause ?? error }, 'A stream of a picture failed');
    yield `event: error\ndata: ${JSON.stringify(errorBody(error.code, error.message))}\n\n`;
  }
}

function failureOf(job: Job): object {
  return job.error === null
    ? errorBody('cancelled', `The job ${job.id} was cancelled`)
    : { error: jobError(job.error) };
}

async function* completed(job: Job, name: string, engine: Engine): AsyncGenerator<string> {
  for (const { blob, format, width = 0, height = 0 } of job.result?.outputs ?? []) {
    const head = {
      type: `${name}.completed`,
      created_at: Math.floor((job.finishedAt ?? job.createdAt) / 1000),
      size: `${width}x${height}`,
      quality: 'auto',
      background: String(job.params.background ?? 'auto'),
      output_format: format === 'jpg' ? 'jpeg' : format,
      model: job.result?.modelActual,
      warnings: [...job.warnings, ...(job.result?.warnings ?? [])],
      usage: noUsage,
    };
    yield `event: ${name}.completed\ndata: ${JSON.stringify(head).slice(0, -1)},"b64_json":"`;
    yield* toBase64(await engine.readOutput(blob));
    yield '"}\n\n';
  }
}

/** No tokens are counted here; clients read these numbers. */
const noUsage = {
  input_tokens: 0,
  input_tokens_details: { image_tokens: 0, text_tokens: 0 },
  output_tokens: 0,
  total_tokens: 0,
};
