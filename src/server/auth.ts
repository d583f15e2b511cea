import { BlockList, isIP } from 'node:net';
import type { Middleware } from 'koa';
import { type Config, ConfigError } from '../engine/config.js';
import { EngineError } from '../engine/errors.js';
import type { Context, RequestState } from './request.js';

export type AuthMode = 'off' | 'required';

/**
 * How callers prove who they are: `off` only for `npm start` (or by setting) on a loopback address, otherwise
 * `required`. Throws ConfigError when it is to be off on an address that others can reach.
 */
export function chooseAuth(config: Config, isLocalStart: boolean): AuthMode {
  const isLoopback = isLoopbackHost(config.DARKROOM_HOST);
  if (config.DARKROOM_AUTH === 'off' && !isLoopback) {
    throw new ConfigError(
      `DARKROOM_AUTH=off would open this server to everybody who reaches ${config.DARKROOM_HOST}: ` +
        'set DARKROOM_HOST=127.0.0.1, or DARKROOM_AUTH=required and use an API key',
    );
  }
  return config.DARKROOM_AUTH ?? (isLocalStart && isLoopback ? 'off' : 'required');
}

/** Lets a request through that carries a valid `Authorization: Bearer <key>`, or `X-Api-Key`; `unauthorized` otherwise. */
export function requireKey(keys: { verify(secret: string): Promise<{ id: string } | null> }): Middleware<RequestState> {
  return async (ctx, next) => {
    const given = ctx.get('authorization') || `Bearer ${ctx.get('x-api-key')}`;
    const secret = /^Bearer +(\S{1,200}) *$/i.exec(given)?.[1];
    if (secret === undefined) {
      throw new EngineError('unauthorized', 'Expected an API key: send the header `Authorization: Bearer <key>`');
    }
    const key = await keys.verify(secret);
    if (key === null)
      throw new EngineError('unauthorized', 'The API key is not valid. Check the header that it came in');
    ctx.state.owner = key.id;
    ctx.state.apiKey = secret;
    await next();
  };
}

/**
 * Without keys the caller must be a program on this machine that means this server: no web page of another origin
 * (nor one whose name was rebound to a loopback address), no reverse proxy. `forbidden` otherwise.
 */
export function localOnly(): Middleware<RequestState> {
  return async (ctx, next) => {
    refuseProxies(ctx);
    refuseForeignHost(ctx);
    refuseForeignOrigin(ctx);
    ctx.state.owner = 'local';
    ctx.state.apiKey = null;
    await next();
  };
}

const remedy = 'set DARKROOM_AUTH=required and send an API key';

/** Headers that only something between the caller and us adds. */
const proxyHeader =
  /^(forwarded|via|x-forwarded($|-.*)|x-(real|client|cluster-client|envoy-external|original-forwarded)-.*|x-original-(host|url)|x-proxyuser-ip|(cf-connecting|true-client|fastly-client)-ip(v6)?|cdn-loop)$/;

function refuseProxies(ctx: Context): void {
  const found = Object.keys(ctx.headers).find((name) => proxyHeader.test(name));
  if (found === undefined) return;
  const message = `This server runs without keys, for this machine only, and the request came through a proxy (${found}): ${remedy}`;
  throw new EngineError('forbidden', message, { param: found });
}

function refuseForeignHost(ctx: Context): void {
  const host = ctx.get('host').replace(/:\d+$/, '');
  if (isLoopbackHost(host)) return;
  const message = `This server runs without keys, for this machine only: ask for http://localhost or http://127.0.0.1, or ${remedy}`;
  throw new EngineError('forbidden', message, { param: 'Host' });
}

function refuseForeignOrigin(ctx: Context): void {
  // A picture or a link in a page sends no origin, but browsers say where it stands.
  if (ctx.get('sec-fetch-site') === 'cross-site') throw foreignPage('sec-fetch-site');
  const origin = ctx.get('origin');
  if (origin === '' || origin === `http://${ctx.get('host')}`) return;
  throw foreignPage('Origin');
}

function foreignPage(param: string): EngineError {
  const message = `This server runs without keys and takes no requests from web pages of another origin: ${remedy}`;
  return new EngineError('forbidden', message, { param });
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** Whether a name or address (IPv6 also in brackets) is this machine and nothing else. */
export function isLoopbackHost(host: string): boolean {
  const name = host.toLowerCase().replace(/^\[(.*)\]$/, '$1');
  if (name === 'localhost') return true;
  const version = isIP(name);
  return version !== 0 && loopback.check(name, version === 4 ? 'ipv4' : 'ipv6');
}
