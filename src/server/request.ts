import { randomBytes } from 'node:crypto';
import type { Middleware, ParameterizedContext } from 'koa';
import type { Logger } from 'pino';
import { EngineError } from '../engine/errors.js';
import { sendError } from './errors.js';

/** What the server knows of one request. */
export interface RequestState {
  requestId: string;
  log: Logger;
  /** Whose jobs these are: the id of an API key, or `local`. */
  owner: string;
  /** The key that came; null where none is needed. */
  apiKey: string | null;
}

export type Context = ParameterizedContext<RequestState>;

/** A new request id. */
export function newRequestId(): string {
  return `req_${randomBytes(12).toString('hex')}`;
}

/** Gives every request an id (the caller's own if it is a plain one), a log of its own and one line in the log at its end. */
export function identify(log: Logger): Middleware<RequestState> {
  return async (ctx, next) => {
    const begun = performance.now();
    const given = ctx.get('x-request-id');
    ctx.state.requestId = /^[\w.:-]{1,100}$/.test(given) ? given : newRequestId();
    ctx.state.log = log.child({ request_id: ctx.state.requestId });
    ctx.set('x-request-id', ctx.state.requestId);
    ctx.set('X-Content-Type-Options', 'nosniff');
    ctx.res.once('close', () => logEnd(ctx, begun));
    await next();
  };
}

/** Refuses what the router could misread. */
export function refuseMalformed(maxHeaders: number): Middleware<RequestState> {
  return async (ctx, next) => {
    // Node drops what exceeds `maxHeadersCount` without a word, and with it perhaps the header that says "proxy".
    if (ctx.req.rawHeaders.length >= maxHeaders * 2) {
      return sendError(ctx, 'headers_too_large', `Expected fewer than ${maxHeaders} headers`);
    }
    if (!/^[\w.:[\]-]*$/.test(ctx.get('host'))) {
      throw new EngineError('invalid_input', 'Expected the Host header to be a name or an address', { param: 'Host' });
    }
    await next();
  };
}

/** The address under which this server was asked: the start of the URLs in its answers. */
export function baseUrl(ctx: Context, publicBaseUrl: string | undefined): string {
  return publicBaseUrl ?? `http://${hostOf(ctx)}`;
}

/** Every address under which our own outputs can be named in this request: as we were asked, and as we call ourselves. */
export function ownBases(ctx: Context, publicBaseUrl: string | undefined): string[] {
  const { localPort } = ctx.req.socket;
  const names = ['localhost', '127.0.0.1', '[::1]'].map((name) => `http://${name}:${localPort}`);
  const host = hostOf(ctx);
  return [...(publicBaseUrl === undefined ? [] : [publicBaseUrl]), `http://${host}`, `https://${host}`, ...names];
}

function hostOf(ctx: Context): string {
  if (ctx.get('host') !== '') return ctx.get('host');
  const { localAddress = '127.0.0.1', localPort } = ctx.req.socket;
  return `${localAddress.includes(':') ? `[${localAddress}]` : localAddress}:${localPort}`;
}

function logEnd(ctx: Context, begun: number): void {
  const isProbe = ctx.path === '/health' || ctx.path === '/ready' || ctx.path === '/metrics';
  ctx.state.log[isProbe ? 'debug' : 'info'](
    {
      method: ctx.method,
      path: ctx.path.slice(0, 200),
      status: ctx.res.statusCode,
      ms: Math.round(performance.now() - begun),
      broken_off: !ctx.res.writableFinished,
    },
    'Request ended',
  );
}
