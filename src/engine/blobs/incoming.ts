import type { Readable } from 'node:stream';
import { describeBytes } from '../byte-size.js';
import { EngineError } from '../errors.js';

export interface IncomingLimits {
  maxBytes: number;
  /** Named in errors. */
  param: string | undefined;
  /** Called before the first byte and again every 16 MB; throws when no more may be written. */
  checkSpace(): Promise<void>;
}

const bytesBetweenChecks = 16 * 1024 * 1024;

/**
 * The chunks of a stream as long as there is room for them. Errors: `too_large` after `maxBytes`, those of
 * `checkSpace`, and `invalid_input` when the stream ends early (or the EngineError that it failed with).
 */
export async function* incoming(
  source: Readable,
  { maxBytes, param, checkSpace }: IncomingLimits,
): AsyncGenerator<Uint8Array> {
  await checkSpace();
  let bytes = 0;
  let checkedAt = 0;
  for await (const chunk of chunksOf(source, param)) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw tooLarge(maxBytes, param);
    if (bytes - checkedAt >= bytesBetweenChecks) {
      checkedAt = bytes;
      await checkSpace();
    }
    yield chunk;
  }
}

async function* chunksOf(source: Readable, param: string | undefined): AsyncGenerator<Uint8Array> {
  try {
    yield* source;
  } catch (cause) {
    if (cause instanceof EngineError) throw cause;
    throw new EngineError('invalid_input', `${param ?? 'The file'} did not arrive to its end`, {
      cause,
      ...(param && { param }),
    });
  }
}

function tooLarge(maxBytes: number, param: string | undefined): EngineError {
  const message = `Expected ${param ?? 'the file'} to be at most ${describeBytes(maxBytes)}, got more`;
  return new EngineError('too_large', message, param ? { param } : {});
}
