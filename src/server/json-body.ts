import type { IncomingMessage } from 'node:http';
import { EngineError } from '../engine/errors.js';
import { brokenOff } from './form.js';
import type { ByteBudget } from './limits.js';

export interface JsonLimits {
  maxBytes: number;
  /** Memory for the bodies of all requests. */
  budget: ByteBudget;
}

/** The JSON object that was sent. Errors: `invalid_input` (says where it is wrong), `too_large`, `busy`, `cancelled`. */
export async function readJson(req: IncomingMessage, limits: JsonLimits): Promise<Record<string, unknown>> {
  const held = { bytes: 0 };
  try {
    return parseObject(await collect(req, limits, held));
  } finally {
    limits.budget.give(held.bytes);
  }
}

/** The bytes that were sent, for a signature over them. Errors: `too_large`, `busy`, `cancelled`. */
export async function readBytes(req: IncomingMessage, limits: JsonLimits): Promise<Buffer> {
  const held = { bytes: 0 };
  try {
    return await collect(req, limits, held);
  } finally {
    limits.budget.give(held.bytes);
  }
}

async function collect(req: IncomingMessage, limits: JsonLimits, held: { bytes: number }): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of chunksOf(req)) {
    limits.budget.take(chunk.length);
    held.bytes += chunk.length;
    if (held.bytes > limits.maxBytes) throw tooLarge(limits.maxBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** The body as it comes. Errors: `cancelled` when the client goes away. */
async function* chunksOf(req: IncomingMessage): AsyncGenerator<Buffer> {
  try {
    // An iterator that destroys the request on a throw would take the connection, and with it our answer, away.
    yield* req.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
  } catch (cause) {
    throw brokenOff(cause);
  }
  if (!req.complete) throw brokenOff();
}

/** The error for a JSON body of more than `maxBytes`. */
export function tooLarge(maxBytes: number): EngineError {
  const limit = Math.floor(maxBytes / 1_000_000);
  return new EngineError(
    'too_large',
    `Expected at most ${limit} MB of JSON: send larger pictures as multipart/form-data`,
  );
}

function parseObject(body: Buffer): Record<string, unknown> {
  refuseBombs(body);
  const value = parse(body.toString('utf8').replace(/^\uFEFF/, ''));
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const got = Array.isArray(value) ? 'an array' : value === null ? 'null' : `a ${typeof value}`;
    throw new EngineError('invalid_input', `Expected a JSON object, got ${got}`);
  }
  return value as Record<string, unknown>;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new EngineError('invalid_input', `Expected a JSON object: ${(error as Error).message}`, { cause: error });
  }
}

const maxTokens = 10_000;
const quote = 0x22;
const backslash = 0x5c;
/** 1 for the bytes that a parsed value grows by, strings aside. */
const isStructural = Uint8Array.from({ length: 256 }, (_, byte) =>
  Number('{}[],"'.includes(String.fromCharCode(byte))),
);

/**
 * A few megabytes of `[{},{},…` are a gigabyte once parsed, while a request is flat and large by one string only:
 * refuses bodies with more structure than any request has, skipping strings at the speed of a native search.
 */
function refuseBombs(body: Buffer): void {
  let tokens = 0;
  let inString = false;
  for (let at = 0; at < body.length; at++) {
    if (inString) at = body.indexOf(quote, at);
    if (at === -1) return;
    const byte = body[at] as number;
    if (isStructural[byte] === 0) continue;
    tokens += 1;
    if (tokens > maxTokens) {
      throw new EngineError('invalid_input', `Expected a flat JSON object, got more than ${maxTokens} elements`);
    }
    if (byte === quote && !isEscaped(body, at)) inString = !inString;
  }
}

function isEscaped(body: Buffer, at: number): boolean {
  let slashes = 0;
  while (body[at - 1 - slashes] === backslash) slashes += 1;
  return slashes % 2 === 1;
}
