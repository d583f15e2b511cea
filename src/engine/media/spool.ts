import { type FileHandle, open, rm } from 'node:fs/promises';
import { EngineError } from '../errors.js';
import type { PixelReader } from '../operations/workbench.js';
import type { Pixels, Size } from './media.js';
import { explainingResources } from './resources.js';
import { transpose } from './transpose.js';

/** Decoded 8-bit rows in a file, interleaved, without padding. */
export interface Spool extends Size {
  path: string;
  channels: 3 | 4;
  /** Where the first row starts. */
  offset: number;
}

/** What is left of an EXIF orientation once the picture is transposed where it must be. */
interface Mirror {
  columns: boolean;
  rows: boolean;
}

/**
 * A reader of the rows of a spool as `orientation` (EXIF 2.32, tag 0x0112) shows them; owns the file from now on, unless it is to be kept.
 * Mirroring is done while reading; 5 to 8 swap rows and columns first, which writes the file anew once. Neither needs
 * memory that grows with the picture.
 */
export async function openSpool(
  spool: Spool,
  orientation: number,
  { isKept = false }: { isKept?: boolean } = {},
): Promise<PixelReader> {
  const upright = orientation >= 5 && orientation <= 8 ? await explainingResources(turned(spool)) : spool;
  const handle = await open(upright.path, 'r');
  const mirror = { columns: [2, 3, 6, 7].includes(orientation), rows: [3, 4, 7, 8].includes(orientation) };
  const { width, height, channels } = upright;
  return {
    width,
    height,
    channels,
    readRows: (top, rows) => readRows({ spool: upright, handle, mirror }, top, rows),
    close: async () => {
      await handle.close();
      if (!isKept) await rm(upright.path, { force: true });
    },
  };
}

async function turned(spool: Spool): Promise<Spool> {
  const path = `${spool.path}.turned`;
  transpose(spool, path);
  await rm(spool.path);
  return { path, width: spool.height, height: spool.width, channels: spool.channels, offset: 0 };
}

interface OpenSpool {
  spool: Spool;
  handle: FileHandle;
  mirror: Mirror;
}

async function readRows({ spool, handle, mirror }: OpenSpool, top: number, rows: number): Promise<Pixels> {
  const { width, height, channels, offset } = spool;
  if (!(top >= 0 && rows > 0 && top + rows <= height)) {
    throw new EngineError('internal', `Expected rows inside 0..${height}, got ${top}..${top + rows}`);
  }
  const stride = width * channels;
  const first = mirror.rows ? height - top - rows : top;
  const stored = Buffer.allocUnsafeSlow(rows * stride);
  await readFully(handle, stored, offset + first * stride);
  const pixels: Pixels = { data: stored, width, height: rows, channels };
  return mirror.rows || mirror.columns ? { ...pixels, data: mirrored(pixels, mirror) } : pixels;
}

/** One read may stop short: Linux gives at most 2 GiB at a time. */
async function readFully(handle: FileHandle, target: Buffer, position: number): Promise<void> {
  for (let done = 0; done < target.length; ) {
    const { bytesRead } = await handle.read(target, done, target.length - done, position + done);
    if (bytesRead === 0) throw new EngineError('internal', `Expected ${target.length} bytes of rows, got ${done}`);
    done += bytesRead;
  }
}

function mirrored({ data, width, height, channels }: Pixels, mirror: Mirror): Buffer {
  const out = Buffer.allocUnsafeSlow(data.length);
  const stride = width * channels;
  for (let y = 0; y < height; y += 1) {
    const from = data.subarray(y * stride, (y + 1) * stride);
    const at = (mirror.rows ? height - 1 - y : y) * stride;
    if (mirror.columns) mirrorRow(from, out.subarray(at, at + stride), channels);
    else out.set(from, at);
  }
  return out;
}

function mirrorRow(from: Uint8Array, to: Uint8Array, channels: number): void {
  for (let source = 0, target = to.length - channels; target >= 0; source += channels, target -= channels) {
    to[target] = from[source];
    to[target + 1] = from[source + 1];
    to[target + 2] = from[source + 2];
    if (channels === 4) to[target + 3] = from[source + 3];
  }
}
