import { createReadStream, createWriteStream } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { crc32 } from 'node:zlib';
import type { OutputFormat } from './media.js';

/** How EXIF begins in JPEG (EXIF 2.32, 4.7.2); a TIFF structure follows. */
const exifMark = Buffer.from('Exif\0\0', 'latin1');

/** A segment of JPEG holds its own length in two bytes. */
const mostInJpeg = 0xffff - 2 - exifMark.length;

/** The EXIF block of a picture with its orientation set to upright, since ours are; null for one that is no EXIF. */
export function uprightExif(exif: Uint8Array): Uint8Array | null {
  const whole = Buffer.from(exif);
  const tiff = whole.subarray(0, 6).equals(exifMark) ? whole.subarray(6) : whole;
  const order = tiff.toString('latin1', 0, 4);
  if (order !== 'II*\0' && order !== 'MM\0*') return null;
  setOrientation(tiff, order.startsWith('II'));
  return tiff;
}

/** TIFF 6.0: the first directory has entries of 12 bytes, of which the one with tag 0x0112 is the orientation. */
function setOrientation(tiff: Buffer, isLittle: boolean): void {
  const short = (at: number) => (isLittle ? tiff.readUInt16LE(at) : tiff.readUInt16BE(at));
  const start = isLittle ? tiff.readUInt32LE(4) : tiff.readUInt32BE(4);
  if (start + 2 > tiff.length) return;
  for (let entry = 0, at = start + 2; entry < short(start) && at + 12 <= tiff.length; entry++, at += 12) {
    if (short(at) !== 0x0112) continue;
    if (isLittle) tiff.writeUInt16LE(1, at + 8);
    else tiff.writeUInt16BE(1, at + 8);
  }
}

/** Puts an EXIF block into a finished file; false if it has no room for it. The file is copied once, a piece at a time. */
export async function insertExif(path: string, format: OutputFormat, tiff: Uint8Array): Promise<boolean> {
  const plan = await plans[format](path, Buffer.from(tiff));
  if (!plan) return false;
  const partial = `${path}.exif`;
  try {
    await pipeline(pieces(path, plan), createWriteStream(partial));
    await rename(partial, path);
    return true;
  } finally {
    await rm(partial, { force: true });
  }
}

/** What the new file begins with, from where the old one goes on, and what the new one ends with. */
interface Insertion {
  head: Buffer;
  from: number;
  tail: Buffer;
}

const plans: Record<OutputFormat, (path: string, tiff: Buffer) => Promise<Insertion | null>> = {
  async jpg(_, tiff) {
    if (tiff.length > mostInJpeg) return null;
    const length = Buffer.alloc(2);
    length.writeUInt16BE(2 + exifMark.length + tiff.length);
    return {
      head: Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe1]), length, exifMark, tiff]),
      from: 2,
      tail: nothing,
    };
  },
  async png(path, tiff) {
    // The signature and IHDR are 33 bytes; PNG 3 (11.3.2.8): eXIf comes before IDAT.
    const head = await firstBytes(path, 33);
    return { head: Buffer.concat([head, pngChunk('eXIf', tiff)]), from: 33, tail: nothing };
  },
  async webp(path, tiff) {
    const start = await firstBytes(path, 48);
    const tail = riffChunk('EXIF', tiff);
    const isExtended = start.toString('latin1', 12, 16) === 'VP8X';
    const extension = isExtended ? nothing : riffChunk('VP8X', extendedHeader(start));
    const head = Buffer.concat([start.subarray(0, 12), isExtended ? start.subarray(12, 30) : extension]);
    head.writeUInt32LE(start.readUInt32LE(4) + extension.length + tail.length, 4);
    head.writeUInt8((head[20] as number) | exifFlag, 20);
    return { head, from: isExtended ? 30 : 12, tail };
  },
};

const nothing = Buffer.alloc(0);

/** WebP container: flags of VP8X. */
const [exifFlag, alphaFlag] = [0x08, 0x10];

/** Flags and the size less one, of a file whose only chunk is lossy (VP8) or lossless (VP8L). */
function extendedHeader(start: Buffer): Buffer {
  const isLossless = start.toString('latin1', 12, 16) === 'VP8L';
  const bits = isLossless ? start.readUInt32LE(21) : 0;
  const width = isLossless ? bits & 0x3fff : (start.readUInt16LE(26) & 0x3fff) - 1;
  const height = isLossless ? (bits >>> 14) & 0x3fff : (start.readUInt16LE(28) & 0x3fff) - 1;
  const header = Buffer.alloc(10);
  header.writeUInt8(isLossless && (bits >>> 28) & 1 ? alphaFlag : 0, 0);
  header.writeUIntLE(width, 4, 3);
  header.writeUIntLE(height, 7, 3);
  return header;
}

function riffChunk(name: string, data: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.write(name, 'latin1');
  head.writeUInt32LE(data.length, 4);
  return Buffer.concat([head, data, Buffer.alloc(data.length % 2)]);
}

function pngChunk(name: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(name, 'latin1'), data]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}

async function firstBytes(path: string, count: number): Promise<Buffer> {
  const file = await open(path);
  try {
    return (await file.read(Buffer.alloc(count), 0, count, 0)).buffer;
  } finally {
    await file.close();
  }
}

async function* pieces(path: string, { head, from, tail }: Insertion): AsyncGenerator<Buffer> {
  yield head;
  for await (const chunk of createReadStream(path, { start: from })) yield chunk as Buffer;
  yield tail;
}
