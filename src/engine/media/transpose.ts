import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { EngineError } from '../errors.js';
import type { Spool } from './spool.js';

/** Bytes of pixels held at a time, twice: as read and turned. */
const stripBytes = 16 << 20;

/** Rows of a strip that are turned together, so that what was read of them is still in the processor's cache. */
const block = 16;

/**
 * Writes the rows of a spool as columns to a new file at `path`, in memory that does not depend on the size: a strip of
 * rows is a band of columns in the target, one write per target row. Synchronous, because those writes are short and
 * many (12,000 for 12 megapixels) and each would cost a trip through the thread pool.
 */
export function transpose(spool: Spool, path: string): void {
  const source = openSync(spool.path, 'r');
  const target = openSync(path, 'w');
  try {
    writeStrips(spool, source, target);
  } finally {
    closeSync(source);
    closeSync(target);
  }
}

function writeStrips({ width, height, channels, offset }: Spool, source: number, target: number): void {
  const stride = width * channels;
  const tallest = Math.min(height, Math.max(1, Math.floor(stripBytes / stride)));
  const strip = Buffer.allocUnsafeSlow(tallest * stride);
  const band = Buffer.allocUnsafeSlow(tallest * stride);
  for (let top = 0; top < height; top += tallest) {
    const rows = Math.min(tallest, height - top);
    readAll(source, strip.subarray(0, rows * stride), offset + top * stride);
    turn(strip, band, { width, rows, channels });
    const piece = rows * channels;
    for (let x = 0; x < width; x += 1) {
      writeAll(target, band.subarray(x * piece, (x + 1) * piece), (x * height + top) * channels);
    }
  }
}

function readAll(source: number, into: Buffer, position: number): void {
  const bytes = readSync(source, into, 0, into.length, position);
  if (bytes < into.length) throw new EngineError('internal', `Expected ${into.length} bytes of rows, got ${bytes}`);
}

/** A full disk shows as a short write first and as ENOSPC on the next. */
function writeAll(target: number, from: Buffer, position: number): void {
  for (let done = 0; done < from.length; ) {
    done += writeSync(target, from, done, from.length - done, position + done);
  }
}

interface Strip {
  width: number;
  rows: number;
  channels: 3 | 4;
}

function turn(from: Buffer, to: Buffer, { width, rows, channels }: Strip): void {
  for (let top = 0; top < rows; top += block) {
    const bottom = Math.min(top + block, rows);
    for (let x = 0; x < width; x += 1) {
      let target = (x * rows + top) * channels;
      for (let y = top; y < bottom; y += 1) {
        const source = (y * width + x) * channels;
        // Written out, a third faster than a loop over the channels.
        to[target] = from[source];
        to[target + 1] = from[source + 1];
        to[target + 2] = from[source + 2];
        if (channels === 4) to[target + 3] = from[source + 3];
        target += channels;
      }
    }
  }
}
