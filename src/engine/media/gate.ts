import { open } from 'node:fs/promises';
import { EngineError } from '../errors.js';
import { countFrames, maxFrames } from './frames.js';
import { type ImageFormat, type ImageLimits, imageFormats, type OutputFormat, type Size } from './media.js';
import { type Sniffed, sniff, sniffBytes } from './sniff.js';

/** The field that a picture came in and what it may be. */
export interface Terms {
  param: string;
  limits: ImageLimits;
}

/**
 * The format and size of a file, before any decoder sees it: bytes, first bytes and number of frames are checked.
 * Errors: `invalid_input` (empty, not a picture), `unsupported` (a picture of another format), `too_large`.
 */
export async function admit(path: string, { param, limits }: Terms): Promise<{ format: ImageFormat; bytes: number }> {
  const { bytes, sniffed } = await look(path);
  if (bytes > limits.maxBytes) {
    throw tooLarge(param, `at most ${mega(limits.maxBytes)} MB`, `${mega(bytes, Math.ceil)} MB`);
  }
  if (!('format' in sniffed)) throw refusal(param, sniffed);
  if (countFrames(path, sniffed.format) > maxFrames) {
    throw tooLarge(param, `at most ${count(maxFrames)} frames or pages`, 'more');
  }
  return { format: sniffed.format, bytes };
}

/** Throws `too_large` for a picture that its header says to be over the limits. */
export function checkSize({ width, height }: Size, { param, limits }: Terms): void {
  const got = `${count(width)} × ${count(height)} pixels (${mega(width * height, Math.ceil)} MP)`;
  if (width * height > limits.maxPixels) throw tooLarge(param, `at most ${mega(limits.maxPixels)} MP`, got);
  if (Math.max(width, height) > limits.maxSide) {
    throw tooLarge(param, `at most ${count(limits.maxSide)} pixels on its longest side`, got);
  }
}

/** Throws `too_large` for a result that its format has no room for. */
export function checkOutput({ width, height }: Size, format: OutputFormat): void {
  const { side, pixels } = capacities[format];
  if (Math.max(width, height) <= side && width * height <= pixels) return;
  const limit = `at most ${count(side)} pixels a side${pixels < Infinity ? ` and ${mega(pixels)} MP` : ''}`;
  const message = `Expected a ${format} to have ${limit}, got ${count(width)} × ${count(height)} pixels; ask for png`;
  throw new EngineError('too_large', message, { param: 'format' });
}

/**
 * WebP has 14 bits for a side and JPEG 16. WebP also keeps the modes of all its blocks in 512 KB: a detailed photograph
 * of 192 megapixels could not be encoded at any effort, noise of 120 megapixels could.
 */
const capacities = {
  png: { side: 2 ** 31 - 1, pixels: Infinity },
  webp: { side: 16_383, pixels: 100e6 },
  jpg: { side: 65_535, pixels: Infinity },
} satisfies Record<OutputFormat, { side: number; pixels: number }>;

/** The error of a picture that a decoder gave up on. */
export function broken(param: string, format: ImageFormat, cause: unknown): EngineError {
  const message = `Expected \`${param}\` to be a whole picture, got ${names[format]} data that is damaged or cut off; check that it opens in a viewer and send it again`;
  return new EngineError('invalid_input', message, { param, cause });
}

const names: Record<ImageFormat, string> = {
  jpeg: 'JPEG',
  png: 'PNG',
  webp: 'WebP',
  avif: 'AVIF',
  tiff: 'TIFF',
  gif: 'GIF',
};

async function look(path: string): Promise<{ bytes: number; sniffed: Sniffed }> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const { buffer, bytesRead } = await file.read(Buffer.alloc(sniffBytes), 0, sniffBytes, 0);
    return { bytes: size, sniffed: sniff(buffer.subarray(0, bytesRead)) };
  } finally {
    await file.close();
  }
}

function refusal(param: string, { found, isPicture }: Exclude<Sniffed, { format: ImageFormat }>): EngineError {
  const taken = imageFormats.map((format) => names[format]).join(', ');
  const remedy = isPicture ? '; save it in one of these formats and send it again' : '';
  const message = `Expected \`${param}\` to be a picture (${taken}), got ${found}${remedy}`;
  return new EngineError(isPicture ? 'unsupported' : 'invalid_input', message, { param });
}

function tooLarge(param: string, limit: string, got: string): EngineError {
  return new EngineError('too_large', `Expected \`${param}\` to have ${limit}, got ${got}`, { param });
}

const count = (value: number) => value.toLocaleString('en-US');

/** In millions to two places; what came is rounded up and what is allowed down, so that the two never look the same. */
const mega = (value: number, round = Math.floor) => count(round(value / 1e4) / 100);
