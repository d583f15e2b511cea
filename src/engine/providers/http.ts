import { type Readable, Transform } from 'node:stream';
import { Agent, type Dispatcher, FormData, request } from 'undici';
import { describeBytes } from '../byte-size.js';
import { EngineError } from '../errors.js';
import { ProviderFailure, type FailureKind } from '../routing/failure.js';
import type { Api, ApiAnswer, ApiCall, Provider } from './provider.js';

export type { Dispatcher };

export interface ApiOptions {
  provider: Pick<Provider, 'title' | 'isFailureFree' | 'explain'>;
  baseUrl: string;
  /** Made anew for every request: a token may be short-lived. */
  authorize(): Record<string, string> | Promise<Record<string, string>>;
  signal: AbortSignal;
  timeoutMs?: number;
  dispatcher?: Dispatcher;
}

/** Largest answer: pictures may come in it as base64. */
const maxAnswerBytes = 128 * 1024 * 1024;
const connectTimeoutMs = 10_000;

/**
 * Requests to the services that the owner has configured. Connections are not kept: what fails before one stands has
 * certainly not been sent, and that is what decides whether a submission may be repeated.
 */
export function createApiDispatcher(): Dispatcher {
  return new Agent({ pipelining: 0, connect: { timeout: connectTimeoutMs }, maxResponseSize: maxAnswerBytes });
}

/** The way to one service with one account. */
export function createApi(options: ApiOptions): Api {
  return { send: (call) => send(call, options) };
}

/** A public JSON document, without any key. Errors: ProviderFailure. */
export async function fetchJson(url: string, dispatcher?: Dispatcher): Promise<unknown> {
  const api = createApi({
    provider: { title: new URL(url).hostname },
    baseUrl: new URL(url).origin,
    authorize: () => ({}),
    signal: AbortSignal.timeout(connectTimeoutMs),
    ...(dispatcher && { dispatcher }),
  });
  return (await api.send({ method: 'GET', path: url })).json;
}

/**
 * A file on the service itself, fetched with the key, up to `maxBytes`; or where the service says that it lies, which
 * is not to see the key. Errors: ProviderFailure, and `too_large` while reading.
 */
export async function openOwnFile(
  path: string,
  { maxBytes, ...options }: ApiOptions & { maxBytes: number },
): Promise<{ stream: Readable } | { location: string }> {
  const url = addressOf(path, options);
  const headers = { ...(await options.authorize()), 'accept-encoding': 'identity' };
  const { dispatcher, signal, provider } = options;
  const response = await request(url, { headers, signal, ...(dispatcher && { dispatcher }) }).catch(
    (error: unknown) => {
      signal.throwIfAborted();
      throw networkFailure(error, { method: 'GET', path }, provider.title);
    },
  );
  const { statusCode, body } = response;
  const location = flat(response.headers).location;
  if (statusCode === 200) return { stream: body.pipe(capped(maxBytes)) };
  body.on('error', () => {}).destroy();
  if (statusCode >= 300 && statusCode < 400 && location) return { location: new URL(location, url).href };
  throw new ProviderFailure('transient', `${provider.title} answered with status ${statusCode} instead of the result`);
}

function capped(maxBytes: number): Transform {
  let bytes = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      const excess = new EngineError('too_large', `expected a result of at most ${describeBytes(maxBytes)}, got more`);
      done(bytes > maxBytes ? excess : null, chunk);
    },
  });
}

async function send(call: ApiCall, options: ApiOptions): Promise<ApiAnswer> {
  const url = addressOf(call.path, options);
  const proofs = await options.authorize();
  const headers = { ...proofs, accept: 'application/json', ...call.headers };
  const answer = await exchange(url, { ...call, headers }, options);
  if (answer.status >= 200 && answer.status < 300) return answer;
  const failure = options.provider.explain?.(answer) ?? byStatus(answer, call, options.provider);
  throw discreet(withRetryAfter(failure, answer), Object.values(proofs));
}

/** Some services repeat the key that they refuse. */
function discreet(failure: ProviderFailure, proofs: string[]): ProviderFailure {
  const secrets = proofs.map((proof) => proof.replace(/^\w+ /, '')).filter((secret) => secret.length >= 8);
  if (!secrets.some((secret) => failure.message.includes(secret))) return failure;
  const message = secrets.reduce((text, secret) => text.replaceAll(secret, '…'), failure.message);
  return new ProviderFailure(failure.kind, message, { ...failure.details, cause: failure.cause });
}

function withRetryAfter(failure: ProviderFailure, { headers }: ApiAnswer): ProviderFailure {
  const retryAfterMs = retryAfter(headers['retry-after']);
  if (retryAfterMs === null || failure.details.retryAfterMs !== undefined) return failure;
  return new ProviderFailure(failure.kind, failure.message, { ...failure.details, retryAfterMs, cause: failure.cause });
}

/** The key goes with every request, so a request goes nowhere but to the service itself. */
function addressOf(path: string, { baseUrl, provider }: ApiOptions): string {
  if (path.startsWith('/')) return baseUrl.replace(/\/+$/, '') + path;
  if (URL.canParse(path) && new URL(path).origin === new URL(baseUrl).origin) return path;
  throw new ProviderFailure('transient', `${provider.title} named an address that is not its own`);
}

async function exchange(url: string, call: ApiCall, options: ApiOptions): Promise<ApiAnswer> {
  const { signal, timeoutMs = 60_000, dispatcher } = options;
  signal.throwIfAborted();
  try {
    const { statusCode, headers, body } = await request(url, {
      method: call.method,
      headers: { ...call.headers, ...(call.json !== undefined && { 'content-type': 'application/json' }) },
      body: bodyOf(call),
      signal,
      headersTimeout: timeoutMs,
      bodyTimeout: timeoutMs,
      ...(dispatcher && { dispatcher }),
    });
    const bytes = Buffer.from(await body.arrayBuffer());
    return { status: statusCode, headers: flat(headers), json: parse(bytes), body: bytes };
  } catch (error) {
    signal.throwIfAborted();
    throw networkFailure(error, call, options.provider.title);
  }
}

function bodyOf({ json, form }: ApiCall): string | FormData | null {
  if (json !== undefined) return JSON.stringify(json);
  return form ? toUndici(form) : null;
}

/** The package's own class: it sends no other, and Node's may be of another version. */
function toUndici(form: globalThis.FormData): FormData {
  const copy = new FormData();
  for (const [name, value] of form) {
    if (typeof value === 'string') copy.append(name, value);
    else copy.append(name, value, value.name);
  }
  return copy;
}

function flat(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
}

/** Failures that come before a connection stands: not a byte of the request has left. */
const beforeSending =
  /^(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|UND_ERR_CONNECT_TIMEOUT|EPROTO|CERT_.*|ERR_TLS_.*|ERR_SSL_.*|DEPTH_ZERO_.*|SELF_SIGNED_.*|UNABLE_TO_.*)$/;

function networkFailure(error: unknown, { method }: ApiCall, title: string): ProviderFailure {
  const { code = '', message } = Object(error) as NodeJS.ErrnoException;
  const isUnsent = beforeSending.test(code);
  const reason = `${title} could not be reached (${code || message})`;
  if (isUnsent || method !== 'POST') return new ProviderFailure('transient', reason, { cause: error });
  return new ProviderFailure('unknown', `${title} did not answer (${code || message})`, { cause: error });
}

/** What a status means where the service's own codes say no more. */
function byStatus(answer: ApiAnswer, { method }: ApiCall, { title, isFailureFree }: ApiOptions['provider']) {
  const { status } = answer;
  const kind = kindOfStatus(status, method === 'POST' && !isFailureFree);
  return new ProviderFailure(kind, `${title} answered with status ${status}${sentence(answer)}`, {
    upstreamCode: String(status),
  });
}

/** A service that says 503 has not taken the request (RFC 9110, 15.6.4); another 5xx may come after it was taken. */
function kindOfStatus(status: number, mayBeBilled: boolean): FailureKind {
  if (status === 401 || status === 403) return 'auth';
  if (status === 402) return 'budget';
  if (status === 413 || status === 415) return 'unfit';
  if (status === 429) return 'capacity';
  if (status === 503) return 'transient';
  if (status === 408 || status >= 500) return mayBeBilled ? 'unknown' : 'transient';
  // A model or a path that is not there, or has moved, is a matter of settings: another service can still do the job.
  if (status === 404 || status === 405 || status < 400) return 'auth';
  return 'invalid';
}

/** Seconds, or a date. */
export function retryAfter(header: string | undefined, now: number = Date.now()): number | null {
  if (header === undefined || header.trim() === '') return null;
  const seconds = Number(header);
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - now;
  return Number.isFinite(ms) ? Math.max(0, ms) : null;
}

/** What the body says in words, as far as the usual places have it. */
function sentence({ json }: ApiAnswer): string {
  const body = Object(json);
  const said = [body.error?.message, body.error, body.message, body.detail, body.title, body.errors?.[0]].find(
    (text) => typeof text === 'string' && text !== '',
  );
  return said === undefined ? '' : `: ${String(said).slice(0, 300)}`;
}
