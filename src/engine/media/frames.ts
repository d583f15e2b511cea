import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { ImageFormat } from './media.js';

/**
 * More frames or pages than this are refused although only the first is used: opening a file counts them all, which
 * takes libvips 0.3 s for a WebP of 10,000 frames and four times that for twice as many.
 */
export const maxFrames = 5000;

/** Bytes of a file at a position; fewer at its end. */
type Bytes = (position: number, length: number) => Buffer;

const counters: Partial<Record<ImageFormat, (bytes: Bytes) => number>> = {
  gif: countGif,
  webp: countWebp,
  tiff: countTiff,
};

/**
 * The number of frames or pages, counted only up to `maxFrames` + 1, from the structure of the file and without
 * decoding. Broken structure ends the count: the decoder will say what is wrong.
 */
export function countFrames(path: string, format: ImageFormat): number {
  const count = counters[format];
  if (count === undefined) return 1;
  const descriptor = openSync(path, 'r');
  try {
    return count(windowed(descriptor));
  } finally {
    closeSync(descriptor);
  }
}

/** Synchronous, through one window: the walk takes millions of tiny steps in a file made to be slow. */
function windowed(descriptor: number): Bytes {
  const { size } = fstatSync(descriptor);
  const window = Buffer.alloc(1 << 16);
  let start = 0;
  let end = 0;
  return (position, length) => {
    if (position >= size) return Buffer.alloc(0);
    if (position < start || position + length > end) {
      start = position;
      end = position + readSync(descriptor, window, 0, window.length, position);
    }
    return window.subarray(position - start, Math.min(position - start + length, end - start));
  };
}

/** GIF89a: header, colour table, then blocks led by 0x21 (extension) or 0x2c (image), each with its data in sub-blocks. */
function countGif(bytes: Bytes): number {
  const header = bytes(0, 13);
  let position = 13 + colourTableBytes(header[10]);
  let frames = 0;
  while (frames <= maxFrames) {
    const block = bytes(position, 10);
    if (block[0] === 0x2c) {
      frames += 1;
      position = afterSubBlocks(bytes, position + 10 + colourTableBytes(block[9]) + 1);
    } else if (block[0] === 0x21) {
      position = afterSubBlocks(bytes, position + 2);
    } else return frames;
  }
  return frames;
}

function colourTableBytes(flags = 0): number {
  return flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0;
}

function afterSubBlocks(bytes: Bytes, first: number): number {
  let position = first;
  for (let length = bytes(position, 1)[0]; length; length = bytes(position, 1)[0]) position += 1 + length;
  return position + 1;
}

/** RIFF: chunks of a four-letter name, a length and as many bytes, made even; a frame is an `ANMF` or a lone `VP8 `. */
function countWebp(bytes: Bytes): number {
  let frames = 0;
  for (let position = 12; frames <= maxFrames; ) {
    const head = bytes(position, 8);
    if (head.length < 8) break;
    if (/^(ANMF|VP8[ L])/.test(head.toString('latin1', 0, 4))) frames += 1;
    const length = head.readUInt32LE(4);
    position += 8 + length + (length % 2);
  }
  return frames;
}

/** A chain of directories, each with the place of the next one at its end; a chain that bites its tail ends there. */
function countTiff(bytes: Bytes): number {
  const head = bytes(0, 4);
  const isLittle = head[0] === 0x49;
  const isBig = head[isLittle ? 2 : 3] === 43;
  const number = (position: number, length: number) => toNumber(bytes(position, length), length, isLittle);
  const seen = new Set<number>();
  for (let at = isBig ? number(8, 8) : number(4, 4); at > 0 && seen.size <= maxFrames && !seen.has(at); ) {
    seen.add(at);
    const entries = number(at, isBig ? 8 : 2);
    at = isBig ? number(at + 8 + entries * 20, 8) : number(at + 2 + entries * 12, 4);
  }
  return seen.size;
}

/** An unsigned number of 2, 4 or 8 bytes; 0 past the end of the file or where no file can reach. */
function toNumber(read: Buffer, length: number, isLittle: boolean): number {
  if (read.length < length) return 0;
  const ordered = isLittle ? Buffer.from(read).reverse() : read;
  const value = ordered.reduce((sum, byte) => sum * 256 + byte, 0);
  return Number.isSafeInteger(value) ? value : 0;
}
