import type { Middleware } from 'koa';
import { type EngineError, type ErrorCode, type SerializedError, toEngineError } from '../engine/errors.js';
import type { Context, RequestState } from './request.js';

/** What only HTTP can get wrong; everything else is an ErrorCode of the engine. */
type ProtocolCode =
  | 'malformed_request'
  | 'method_not_allowed'
  | 'range_not_satisfiable'
  | 'headers_too_large'
  | 'request_timeout'
  | 'not_ready';

export type AnswerCode = ErrorCode | ProtocolCode;

interface Answer {
  status: number;
  type: string;
  code: string;
  /** Whether the same request can succeed soon; SDKs repeat 408, 409, 429 and 5xx unless they are told not to. */
  retry: boolean;
}

const bad = (status: number, code = 'invalid_request_error'): Answer => ({
  status,
  type: 'invalid_request_error',
  code,
  retry: false,
});

const failed = (status: number, code: string, retry = false): Answer => ({ status, type: 'server_error', code, retry });

/**
 * The only place that chooses a status. `internal` is not to be repeated: the request may have been accepted before
 * it failed. The codes are those of the public API page where it names one.
 */
const answers = {
  invalid_input: bad(400),
  unauthorized: { status: 401, type: 'authentication_error', code: 'authentication_error', retry: false },
  forbidden: { status: 403, type: 'permission_error', code: 'forbidden', retry: false },
  not_found: bad(404, 'not_found'),
  gone: bad(410, 'gone'),
  idempotency_key_reuse: bad(400, 'idempotency_key_reuse'),
  unsupported: bad(415, 'unsupported_media_type'),
  too_large: bad(413, 'too_large'),
  busy: { status: 429, type: 'rate_limit_error', code: 'rate_limit_exceeded', retry: true },
  storage_full: failed(507, 'storage_full'),
  timeout: failed(504, 'generation_timeout'),
  cancelled: bad(400, 'cancelled'),
  crashed: failed(500, 'generation_failed'),
  interrupted: failed(500, 'generation_failed'),
  out_of_memory: failed(500, 'generation_failed'),
  model_unavailable: failed(503, 'model_unavailable'),
  content_policy: bad(400, 'content_policy_violation'),
  provider_unavailable: failed(503, 'provider_unavailable', true),
  internal: failed(500, 'internal_error'),
  malformed_request: bad(400),
  method_not_allowed: bad(405, 'method_not_allowed'),
  range_not_satisfiable: bad(416, 'range_not_satisfiable'),
  headers_too_large: bad(431, 'headers_too_large'),
  request_timeout: { ...bad(408, 'request_timeout'), retry: true },
  not_ready: failed(503, 'not_ready', true),
} satisfies Record<AnswerCode, Answer>;

/** The body of every error answer: all four keys are always there. */
export interface ErrorBody {
  error: { code: string; message: string; type: string; param: string | null };
}

/** The body for a code. */
export function errorBody(code: AnswerCode, message: string, param: string | null = null): ErrorBody {
  return { error: { code: answers[code].code, message, type: answers[code].type, param } };
}

/** The HTTP status for a code. */
export function statusOf(code: AnswerCode): number {
  return answers[code].status;
}

/** The reason in the body of a failed job: what was wrong with the request, otherwise that the work failed or took too long. */
export function jobError(error: SerializedError): { message: string; type: string; code: string } {
  const { type, code } = answers[error.code];
  const isOurs = type === 'server_error' && error.code !== 'timeout';
  return { message: error.message, type, code: isOurs ? 'generation_failed' : code };
}

/** Answers with an error; `x-should-retry` of the caller's choice stands. */
export function sendError(ctx: Context, code: AnswerCode, message: string, details: EngineError['details'] = {}): void {
  const { status, retry } = answers[code];
  ctx.status = status;
  ctx.body = inShapeOf(ctx, errorBody(code, message, details.param ?? null));
  ctx.set('Cache-Control', 'no-store');
  if (details.retryAfterSeconds !== undefined) ctx.set('Retry-After', String(Math.ceil(details.retryAfterSeconds)));
  const isRepeatedBySdks = status === 408 || status === 429 || status >= 500;
  if (isRepeatedBySdks && !ctx.res.hasHeader('x-should-retry')) ctx.set('x-should-retry', String(retry));
  if (status === 401) ctx.set('WWW-Authenticate', 'Bearer');
}

/** Answers a waiting caller whose job failed: the reason as the job's status has it, and not to be repeated, since that would be another job. */
export function sendJobError(ctx: Context, error: SerializedError): void {
  ctx.status = answers[error.code].status;
  ctx.body = inShapeOf(ctx, { error: { ...jobError(error), param: error.details.param ?? null } });
  ctx.set({ 'Cache-Control': 'no-store', 'x-should-retry': 'false' });
}

/** Paths that speak another service's language have its errors too: what they are made of them, by the start of the path. */
const foreignShapes: readonly { prefix: string; shape(body: ErrorBody): object }[] = [
  {
    // remove.bg
    prefix: '/v1.0/',
    shape: ({ error: { message, code } }) => ({ errors: [{ title: message, code }] }),
  },
  {
    // rembg, as FastAPI has them
    prefix: '/api/remove',
    shape: ({ error: { message } }) => ({ detail: message }),
  },
];

function inShapeOf({ path }: Context, body: ErrorBody): object {
  return foreignShapes.find(({ prefix }) => path.startsWith(prefix))?.shape(body) ?? body;
}

/** The only middleware that catches: whatever is thrown becomes an answer; what is not an EngineError is shown as "Internal error". */
export function catchErrors(): Middleware<RequestState> {
  return async (ctx, next) => {
    try {
      await next();
    } catch (thrown) {
      const error = toEngineError(thrown);
      logError(ctx, error);
      sendError(ctx, error.code, error.message, error.details);
      discardRest(ctx);
    }
  };
}

function logError(ctx: Context, error: EngineError): void {
  const isOperatorsBusiness = answers[error.code].status >= 500;
  const fields = { err: error.code === 'internal' && error.cause !== undefined ? error.cause : error };
  if (isOperatorsBusiness) ctx.state.log.error(fields, 'Request failed');
  else ctx.state.log.debug(fields, 'Request refused');
}

const restBytes = 16 * 1024 * 1024;
const restMs = 5_000;

/**
 * Reads on, for a while, what the client still sends: closing at once would reset the connection, and many clients
 * would then report that instead of the answer.
 */
function discardRest(ctx: Context): void {
  const { req } = ctx;
  if (req.complete || req.destroyed) return;
  let left = restBytes;
  const timer = setTimeout(() => req.destroy(), restMs);
  req.on('data', (chunk: Buffer) => {
    left -= chunk.length;
    if (left < 0) req.destroy();
  });
  req.once('close', () => clearTimeout(timer));
  req.resume();
}
