import { lookup } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import { finished, type Readable, Transform } from 'node:stream';
import { Agent, buildConnector, type Dispatcher } from 'undici';
import { type AddressGuard, createAddressGuard, defaultPort } from './address-guard.js';
import { describeBytes } from '../byte-size.js';
import { explainFailure, type Patience, tookTooLong } from './download-failure.js';
import { EngineError, toEngineError } from '../errors.js';

export interface DialOptions {
  /** Every address of a host name; default what the system's resolver says. */
  resolve?: (host: string) => Promise<string[]>;
  /** How long a connection may take with its TLS handshake; default 10 s. */
  connectTimeoutMs?: number;
  /** Certificates (PEM) to trust instead of those that come with Node. */
  ca?: string;
}

export interface DownloaderOptions extends DialOptions {
  /** Entries as in `DARKROOM_ALLOW_HOSTS`. */
  allowHosts: readonly string[];
  maxBytes: number;
  /** How long the whole may take: every redirect, and the body to its end. */
  timeoutMs: number;
  /** How long nothing may come; default 10 s. */
  idleTimeoutMs?: number;
}

export interface Download {
  /** The body. Fails with `too_large`, or with `invalid_input` when it does not come to its end in time. */
  stream: Readable;
  /** What the server calls it; not to be trusted. */
  contentType: string | null;
}

export interface Downloader {
  /**
   * Begins to fetch the file at an address that a caller named in `param`. Errors: `invalid_input` with a sentence that
   * says what to do (the address may not be asked, was not found, did not answer …), `too_large`, and the EngineError
   * that `signal` was aborted with (or `cancelled`).
   */
  open(url: string, options: { param: string; signal?: AbortSignal }): Promise<Download>;
  /** Ends what still runs. */
  close(): Promise<void>;
}

/** Sent with every request, and nothing else: no cookies, no referrer, nothing of the caller's. */
const headers = { 'user-agent': 'Darkroom', accept: '*/*', 'accept-encoding': 'identity' };
/** OK, and the same from a proxy that changed something. */
const wholeFile = [200, 203];
const redirects = [301, 302, 303, 307, 308];
const maxRedirects = 3;

/** Fetches what callers name by address, under the address guard and with caps on time and size. Throws ConfigError. */
export function createDownloader(options: DownloaderOptions): Downloader {
  const { allowHosts, maxBytes, timeoutMs, idleTimeoutMs = 10_000, connectTimeoutMs = 10_000 } = options;
  const patience = { timeoutMs, idleTimeoutMs, connectTimeoutMs };
  const guard = createAddressGuard(allowHosts);
  const agent = createGuardedAgent(guard, { ...options, connectTimeoutMs });

  async function open(address: string, { param, signal }: { param: string; signal?: AbortSignal }): Promise<Download> {
    const deadline = startDeadline(timeoutMs, signal);
    try {
      const { host, response } = await follow(address, (url) => {
        guard.checkUrl(url);
        return get(agent, url, { signal: deadline.signal, patience });
      });
      checkHead(host, response, maxBytes);
      const stream = capped(response.body, maxBytes, (error) => named(param, explainFailure(error, host, patience)));
      stream.once('close', deadline.end);
      return { stream, contentType: headerOf(response, 'content-type') };
    } catch (error) {
      deadline.end();
      throw named(param, error);
    }
  }

  return { open, close: () => agent.destroy() };
}

/**
 * A dispatcher that connects to nothing but what the guard lets pass: a name is resolved for each connection, every one
 * of its addresses is checked, and the connection is made to those and no others. A refusal is the EngineError that
 * the request fails with. Connections are not kept, so none outlives its check.
 */
export function createGuardedAgent(
  guard: AddressGuard,
  { resolve = resolveBySystem, connectTimeoutMs = 10_000, ca }: DialOptions,
): Dispatcher {
  const admit = async ({ protocol, hostname, port }: buildConnector.Options) => {
    const addresses = isIP(hostname) ? [hostname] : await resolve(hostname);
    guard.checkAddresses({ protocol, host: hostname, port: Number(port) || defaultPort(protocol) }, addresses);
    return addresses;
  };
  const connect: buildConnector.connector = (options, callback) => {
    admit(options)
      .then((addresses) => {
        const pinned = { lookup: answer(addresses), timeout: connectTimeoutMs, ...(ca && { ca }) };
        buildConnector(pinned)(options, callback);
      })
      .catch((error: Error) => callback(error, null));
  };
  return new Agent({ connect, pipelining: 0 });
}

async function resolveBySystem(host: string): Promise<string[]> {
  const answers = await lookup(host, { all: true });
  return answers.map(({ address }) => address);
}

/** A resolver that knows one answer. */
function answer(addresses: string[]): LookupFunction {
  const answers = addresses.map((address) => ({ address, family: isIP(address) }));
  return (_host, { all }, callback) => {
    const [first] = answers;
    if (all || !first) callback(null, answers);
    else callback(null, first.address, first.family);
  };
}

/** The first answer that is no redirect, and the host that gave it. */
async function follow(address: string, ask: (url: URL) => Promise<Dispatcher.ResponseData>) {
  let url = parseUrl(address);
  for (let redirected = 0; redirected <= maxRedirects; redirected += 1) {
    const response = await ask(url);
    const target = headerOf(response, 'location');
    if (!redirects.includes(response.statusCode) || target === null) return { host: url.hostname, response };
    response.body.on('error', () => {}).destroy();
    url = parseUrl(target, url);
  }
  throw new EngineError(
    'invalid_input',
    `expected at most ${maxRedirects} redirects, got another one to ${url.hostname}`,
  );
}

function parseUrl(text: string, base?: URL): URL {
  if (URL.canParse(text, base?.href)) return new URL(text, base);
  const shown = text.length > 60 ? `${text.slice(0, 60)}…` : text;
  throw new EngineError('invalid_input', `expected an https address, got "${shown}"`);
}

interface RequestLimits {
  signal: AbortSignal;
  patience: Patience;
}

async function get(agent: Dispatcher, url: URL, { signal, patience }: RequestLimits): Promise<Dispatcher.ResponseData> {
  const { idleTimeoutMs } = patience;
  const response = agent.request({
    origin: url.origin,
    path: url.pathname + url.search,
    method: 'GET',
    headers,
    signal,
    headersTimeout: idleTimeoutMs,
    bodyTimeout: idleTimeoutMs,
  });
  try {
    // undici hears the signal only once it is connected; resolving and dialling are waited for no longer either.
    return await Promise.race([response, aborted(signal)]);
  } catch (error) {
    throw explainFailure(error, url.hostname, patience);
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

function checkHead(host: string, response: Dispatcher.ResponseData, maxBytes: number): void {
  const { statusCode } = response;
  if (!wholeFile.includes(statusCode)) {
    throw new EngineError('invalid_input', `expected ${host} to have the file, got status ${statusCode}`);
  }
  // It was asked for plain bytes. A packed file could be a thousand times its size.
  const encoding = headerOf(response, 'content-encoding') ?? 'identity';
  if (encoding.toLowerCase() !== 'identity') {
    throw new EngineError(
      'invalid_input',
      `expected ${host} to send the file as it is, got it packed with ${encoding}`,
    );
  }
  const length = Number(headerOf(response, 'content-length') ?? 0);
  if (length > maxBytes) throw tooLarge(maxBytes, describeBytes(length));
}

/** The stream up to `maxBytes`. Whatever ends it early, the connection ends with it. */
function capped(source: Readable, maxBytes: number, explain: (error: unknown) => EngineError): Readable {
  let bytes = 0;
  const output = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      if (bytes > maxBytes) done(explain(tooLarge(maxBytes, 'more')));
      else done(null, chunk);
    },
  });
  // A failure before anybody reads must not end the process; reading tells it again.
  output.on('error', () => {});
  output.once('close', () => source.destroy());
  finished(source, (error) => error && output.destroy(explain(error)));
  return source.pipe(output);
}

function tooLarge(maxBytes: number, got: string): EngineError {
  return new EngineError('too_large', `expected a file of at most ${describeBytes(maxBytes)}, got ${got}`);
}

/**
 * A signal that aborts after the time, or with another one; `end` aborts it too, which ends whatever still listens.
 * Not `AbortSignal.any`, which loses timeouts to the garbage collector: https://github.com/nodejs/node/issues/57736
 */
function startDeadline(timeoutMs: number, outer?: AbortSignal): { signal: AbortSignal; end(): void } {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(tookTooLong(timeoutMs)), timeoutMs);
  const onOuterAbort = () => controller.abort(asCancellation(outer?.reason));
  const end = () => {
    clearTimeout(timer);
    outer?.removeEventListener('abort', onOuterAbort);
    controller.abort();
  };
  outer?.addEventListener('abort', onOuterAbort);
  if (outer?.aborted) onOuterAbort();
  return { signal: controller.signal, end };
}

function asCancellation(reason: unknown): EngineError {
  if (reason instanceof EngineError) return reason;
  return new EngineError('cancelled', 'The download was cancelled', { cause: reason });
}

/** The failure as one of the request field that named the address. */
function named(param: string, error: unknown): EngineError {
  const { code, message, cause, details } = toEngineError(error);
  if (code !== 'invalid_input' && code !== 'too_large') return toEngineError(error);
  return new EngineError(code, `${param}: ${message}`, { ...details, param, cause });
}

function headerOf(response: Dispatcher.ResponseData, name: string): string | null {
  const value = response.headers[name];
  return (Array.isArray(value) ? value[0] : value) ?? null;
}
