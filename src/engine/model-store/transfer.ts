import { open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { type Dispatcher, request } from 'undici';
import { z } from 'zod';
import { asStorageError } from '../blobs/disk-space.js';
import { describeBytes } from '../byte-size.js';
import { EngineError, toEngineError } from '../errors.js';
import { type EagerBody, readEagerly } from './eager-body.js';
import type { Network } from './network.js';

/** A transfer that stopped for a reason that may be gone with the next try. */
export class Interrupted extends Error {
  override name = 'Interrupted';
}

export interface TransferOptions {
  /** Where the bytes are gathered; they stay there when the transfer ends early, for the next one. */
  path: string;
  /** How many must come; null if that is not known. */
  bytes: number | null;
  /** No file may be larger. */
  maxBytes: number;
  signal?: AbortSignal | undefined;
  /** Fails when there is no room for so many bytes more. */
  checkRoom(bytes: number): Promise<void>;
  onProgress(done: number, total: number | null): void;
}

/**
 * One connection's worth of a file: from where an earlier one stopped if the server vouches that it still is the same file
 * and can begin there, else from the start. Errors: Interrupted when it is worth to try again; `provider_unavailable` when
 * this address does not have the file, `too_large`, `storage_full`, and the reason of `signal`.
 */
export async function transfer(url: string, options: TransferOptions, network: Network): Promise<void> {
  const offer = await ask(url, await startingPoint(url, options.path), { ...options, network });
  if (offer === 'complete') return;
  const { begin, total, body } = offer;
  try {
    checkSize(url, total, options);
    await options.checkRoom((total ?? options.bytes ?? begin) - begin);
    await remember(url, offer, options.path);
    await store(offer, options);
  } catch (error) {
    body.destroy();
    throw error;
  }
}

/** What came so far, and by what the server can tell that the rest belongs to it. */
interface StartingPoint {
  begin: number;
  validator: string | null;
}

interface Offer extends StartingPoint {
  /** Bytes of the whole file, as the server says. */
  total: number | null;
  body: EagerBody;
}

const maxRedirects = 5;

async function ask(
  url: string,
  start: StartingPoint,
  { path, signal, network }: TransferOptions & { network: Network },
): Promise<Offer | 'complete'> {
  const range = start.begin > 0 ? { range: `bytes=${start.begin}-`, 'if-range': start.validator ?? '' } : {};
  const headers = { 'user-agent': 'Darkroom', accept: '*/*', 'accept-encoding': 'identity', ...range };
  let address = url;
  for (let hops = 0; hops <= maxRedirects; hops++) {
    const response = await attempt(
      () => request(address, { dispatcher: network, headers, signal: signal ?? null }),
      signal,
    );
    const body = readEagerly(response.body);
    const next = redirectOf(response, address);
    if (next === null) return readHead(url, start, { response, body, path });
    body.destroy();
    address = next;
  }
  throw unavailable(url, `it was sent on more than ${maxRedirects} times`);
}

function redirectOf({ statusCode, headers }: Dispatcher.ResponseData, address: string): string | null {
  if (![301, 302, 303, 307, 308].includes(statusCode)) return null;
  const location = headerOf(headers, 'location') ?? '';
  const target = URL.canParse(location, address) ? new URL(location, address) : null;
  const isSafe = target?.protocol === 'https:' || (target?.protocol === 'http:' && address.startsWith('http:'));
  if (target && isSafe) return target.href;
  throw unavailable(address, `it was sent on to "${location}", which is not taken`);
}

async function readHead(
  url: string,
  { begin }: StartingPoint,
  { response, body, path }: { response: Dispatcher.ResponseData; body: EagerBody; path: string },
): Promise<Offer | 'complete'> {
  const { statusCode, headers } = response;
  const validator = validatorOf(headers);
  if (statusCode === 200) return { begin: 0, total: numberOf(headerOf(headers, 'content-length')), validator, body };
  const range = /^bytes (?:(\d+)-\d+|\*)\/(\d+)$/.exec(headerOf(headers, 'content-range') ?? '');
  const total = numberOf(range?.[2]);
  if (statusCode === 206 && numberOf(range?.[1]) === begin) return { begin, total, validator, body };
  body.destroy();
  if (statusCode === 416 && total === begin && begin > 0) return 'complete';
  if (statusCode === 206 || statusCode === 416) {
    await rm(path, { force: true });
    throw new Interrupted(`the server answered ${statusCode} for another range than it was asked for`);
  }
  if ([408, 425, 429].includes(statusCode) || statusCode >= 500)
    throw new Interrupted(`the server answered ${statusCode}`);
  throw unavailable(url, `the server answered ${statusCode}`);
}

function checkSize(url: string, total: number | null, { bytes, maxBytes }: TransferOptions): void {
  if (total === null) return;
  if (bytes !== null && total !== bytes) throw unavailable(url, `expected ${bytes} bytes, the server offers ${total}`);
  if (total > maxBytes) throw tooLarge(url, describeBytes(total), maxBytes);
}

/** Writes what comes behind what is there, and onto the disk even if the transfer is cut. */
async function store({ body, begin, total }: Offer, options: TransferOptions): Promise<void> {
  const { path, bytes, maxBytes, signal, onProgress } = options;
  const expected = total ?? bytes;
  const file = await open(path, begin > 0 ? 'a' : 'w', 0o600);
  let done = begin;
  try {
    await attempt(async () => {
      for await (const chunk of body.chunks()) {
        if (done + chunk.length > (expected ?? maxBytes)) throw tooLarge(path, 'more', expected ?? maxBytes);
        await file.writeFile(chunk).catch((error) => {
          throw toEngineError(asStorageError(error));
        });
        done += chunk.length;
        onProgress(done, expected);
      }
    }, signal);
    await file.sync();
  } finally {
    await file.close();
  }
  if (expected !== null && done < expected) throw new Interrupted(`${done} of ${expected} bytes came`);
}

const memoSchema = z.object({ url: z.string(), validator: z.string() });

const memoPath = (path: string) => `${path}.json`;

/** How much came before from this very address, if the server gave something to recognise the file by. */
async function startingPoint(url: string, path: string): Promise<StartingPoint> {
  const found = await stat(path).catch(() => null);
  const memo = memoSchema.safeParse(parseJson(await readFile(memoPath(path), 'utf8').catch(() => '')));
  if (!found || !memo.success || memo.data.url !== url) return { begin: 0, validator: null };
  return { begin: found.size, validator: memo.data.validator };
}

async function remember(url: string, { validator }: StartingPoint, path: string): Promise<void> {
  if (validator === null) await rm(memoPath(path), { force: true });
  else await writeFile(memoPath(path), JSON.stringify({ url, validator }));
}

/** A strong ETag or, failing that, a date: what `If-Range` takes (RFC 9110, 13.1.5). */
function validatorOf(headers: Dispatcher.ResponseData['headers']): string | null {
  const tag = headerOf(headers, 'etag');
  return tag?.startsWith('"') ? tag : headerOf(headers, 'last-modified');
}

/** Failures of the network are worth another try; those of the disk and of ours are not, and neither is a wish to stop. */
async function attempt<T>(step: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  try {
    return await step();
  } catch (error) {
    signal?.throwIfAborted();
    const known = asStorageError(error);
    if (known instanceof EngineError) throw known;
    throw new Interrupted(reasonOf(error), { cause: error });
  }
}

function reasonOf(error: unknown): string {
  const { message = '', code = '', cause } = error as NodeJS.ErrnoException & { cause?: unknown };
  return message || code || (cause ? reasonOf(cause) : 'the connection failed');
}

function unavailable(url: string, reason: string): EngineError {
  return new EngineError('provider_unavailable', `${url} can't be fetched: ${reason}`);
}

function tooLarge(what: string, got: string, most: number): EngineError {
  return new EngineError('too_large', `${what}: expected at most ${describeBytes(most)}, got ${got}`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function numberOf(text: string | null | undefined): number | null {
  return text && /^\d+$/.test(text) ? Number(text) : null;
}

function headerOf(headers: Dispatcher.ResponseData['headers'], name: string): string | null {
  const value = headers[name];
  return (Array.isArray(value) ? value[0] : value) ?? null;
}
