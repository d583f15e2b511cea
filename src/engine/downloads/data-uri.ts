import { describeBytes } from '../byte-size.js';
import { EngineError } from '../errors.js';

const head = /^data:image\/[a-z0-9.+-]+(?:;[a-z0-9-]+=[^;,]*)*;base64,/i;
/** Longer heads than this are none, so that the search for one does not run through megabytes. */
const maxHeadLength = 200;

/** Whether a text claims to be a data URI. */
export function isDataUri(text: string): boolean {
  return /^data:/i.test(text);
}

/**
 * The bytes of a `data:image/…;base64,…` URI. The base64 is strict: the standard alphabet, padded, without white space.
 * Errors: `invalid_input`, and `too_large` by its length, before anything is decoded.
 */
export function decodeDataUri(uri: string, { maxBytes, param }: { maxBytes: number; param: string }): Buffer {
  const [start] = head.exec(uri.slice(0, maxHeadLength)) ?? [];
  if (start === undefined) {
    throw new EngineError('invalid_input', `Expected ${param} to begin with data:image/…;base64, got ${preview(uri)}`, {
      param,
    });
  }
  const length = uri.length - start.length;
  const padding = uri.endsWith('==') ? 2 : uri.endsWith('=') ? 1 : 0;
  const bytes = (length / 4) * 3 - padding;
  if (bytes > maxBytes) {
    throw new EngineError('too_large', `Expected ${param} to be at most ${describeBytes(maxBytes)}, got more`, {
      param,
    });
  }
  const data = Buffer.from(uri.slice(start.length), 'base64');
  // Node skips what is not base64, so that fewer bytes come out; and it takes the alphabet of URLs as well.
  if (data.length === 0 || data.length !== bytes || /[-_]/.test(uri.slice(start.length))) {
    throw new EngineError('invalid_input', `Expected ${param} to be base64 with padding after "${start}"`, { param });
  }
  return data;
}

function preview(uri: string): string {
  return `"${uri.slice(0, 40)}${uri.length > 40 ? '…' : ''}"`;
}
