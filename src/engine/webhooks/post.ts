import type { AddressGuard } from '../downloads/address-guard.js';
import { createGuardedAgent, type DialOptions } from '../downloads/download.js';
import { explainFailure } from '../downloads/download-failure.js';
import { EngineError } from '../errors.js';

export interface Letter {
  url: string;
  headers: Record<string, string>;
  body: string;
}

/** What a receiver answered. */
export interface Answer {
  status: number;
  /** Where it wants the letter to go instead; nobody follows. */
  location: string | null;
}

export interface Post {
  /**
   * Sends one letter to an address that a caller named, under the address guard. Errors: `invalid_input` with a
   * sentence that says why no answer came.
   */
  send(letter: Letter, signal: AbortSignal): Promise<Answer>;
  close(): Promise<void>;
}

export interface PostOptions extends DialOptions {
  guard: AddressGuard;
  /** From the first look-up to the status of the answer. Default 10 s. */
  timeoutMs?: number;
}

/** Sends letters and reads no more of the answers than their heads. */
export function createPost({ guard, timeoutMs = 10_000, ...dial }: PostOptions): Post {
  const agent = createGuardedAgent(guard, { connectTimeoutMs: timeoutMs, ...dial });
  const patience = { timeoutMs, idleTimeoutMs: timeoutMs, connectTimeoutMs: timeoutMs };

  async function send(letter: Letter, signal: AbortSignal): Promise<Answer> {
    const url = new URL(letter.url);
    guard.checkUrl(url);
    const stop = new AbortController();
    const onAbort = () => stop.abort(signal.reason);
    const timer = setTimeout(() => stop.abort(noAnswer(url, timeoutMs)), timeoutMs);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await ask(agent, { url, letter, signal: stop.signal });
    } catch (error) {
      throw explainFailure(error, url.hostname, patience);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    }
  }

  return { send, close: () => agent.destroy() };
}

interface Question {
  url: URL;
  letter: Letter;
  signal: AbortSignal;
}

async function ask(agent: ReturnType<typeof createGuardedAgent>, { url, letter, signal }: Question): Promise<Answer> {
  const { headers, body } = letter;
  const path = url.pathname + url.search;
  const asked = agent.request({ origin: url.origin, path, method: 'POST', headers, body, signal });
  // undici hears the signal only once it is connected.
  const aborted = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  // What comes after the race must not count as a rejection that nobody handles.
  aborted.catch(() => {});
  asked.then((late) => signal.aborted && late.body.on('error', () => {}).destroy()).catch(() => {});
  const response = await Promise.race([asked, aborted]);
  response.body.on('error', () => {}).destroy();
  const { location } = response.headers;
  return { status: response.statusCode, location: (Array.isArray(location) ? location[0] : location) ?? null };
}

function noAnswer({ hostname }: URL, timeoutMs: number): EngineError {
  return new EngineError('invalid_input', `${hostname} did not answer in ${timeoutMs / 1000} seconds`);
}
