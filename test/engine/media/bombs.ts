import { crc32, deflateSync } from 'node:zlib';
import { bytesOf, flat, handmadeTiff } from './pictures.js';

/** Files that are small and want much: made here, so that none is kept in the repository. */

/** A GIF of 1 × 1 with as many frames. */
export function longGif(frames: number): Buffer {
  return gif([1, 1], Array(frames).fill([1, 1]));
}

/** A GIF whose canvas and frames claim these sizes; all frames hold the data of one pixel. */
export function gif(canvas: [number, number], frames: [number, number][]): Buffer {
  const start = [
    Buffer.from('GIF89a'),
    u16(canvas[0]),
    u16(canvas[1]),
    Buffer.from('\x80\0\0\0\0\0\xff\xff\xff', 'latin1'),
  ];
  const frame = ([width, height]: [number, number]) =>
    Buffer.concat([Buffer.from(','), u16(0), u16(0), u16(width), u16(height), Buffer.from([0, 2, 2, 0x44, 1, 0])]);
  return Buffer.concat([...start, ...frames.map(frame), Buffer.from(';')]);
}

/** A WebP animation with as many frames of 1 × 1. */
export async function animatedWebp(frames: number): Promise<Buffer> {
  const lossless = await bytesOf(flat(1, 1, [10, 20, 30]), (picture) => picture.webp({ lossless: true }));
  const frame = riffChunk('ANMF', u24(0), u24(0), u24(0), u24(0), u24(10), Buffer.from([0]), lossless.subarray(12));
  const canvas = riffChunk('VP8X', Buffer.from([2, 0, 0, 0]), u24(0), u24(0));
  return riff(canvas, riffChunk('ANIM', u32(0), u16(0)), ...Array(frames).fill(frame));
}

/** A WebP whose header claims 1 × 1 for the picture of `frame`. */
export function lyingWebp(frame: Buffer): Buffer {
  return riff(riffChunk('VP8X', Buffer.from([0, 0, 0, 0]), u24(0), u24(0)), frame.subarray(12));
}

/** A TIFF with as many pages of one grey pixel, all the same byte. */
export function manyPages(pages: number): Buffer {
  const page = { 256: 1, 257: 1, 258: 8, 259: 1, 262: 1, 273: 0, 277: 1, 278: 1, 279: 1 };
  return handmadeTiff(Array(pages).fill(page), new Uint8Array(1));
}

interface Png {
  width: number;
  height: number;
  bitDepth?: number;
  /** 0 is grey. */
  colourType?: number;
  /** Between header and data. */
  chunks?: Buffer[];
  /** Filter bytes and samples, not compressed. */
  rows?: Uint8Array;
}

/** A PNG of hand-made parts with right checksums. */
export function handmadePng({ width, height, bitDepth = 8, colourType = 0, chunks = [], rows }: Png): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([bitDepth, colourType], 8);
  const data = pngChunk('IDAT', deflateSync(rows ?? Buffer.from([0, 7])));
  const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
  return Buffer.concat([signature, pngChunk('IHDR', header), ...chunks, data, pngChunk('IEND', Buffer.alloc(0))]);
}

export function pngChunk(type: string, data: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, checksum]);
}

/** A chunk with a keyword whose compressed text (or profile) unpacks to as many zeros. */
export function inflatingChunk(type: 'zTXt' | 'iCCP', zeros: number): Buffer {
  return pngChunk(type, Buffer.concat([Buffer.from('key\0\0', 'latin1'), deflateSync(Buffer.alloc(zeros))]));
}

function riff(...chunks: Buffer[]): Buffer {
  return riffChunk('RIFF', Buffer.from('WEBP'), ...chunks);
}

function riffChunk(name: string, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from(name), u32(body.length), body]);
}

function u16(value: number): Buffer {
  return littleEndian(value, 2);
}

function u24(value: number): Buffer {
  return littleEndian(value, 3);
}

function u32(value: number): Buffer {
  return littleEndian(value, 4);
}

function littleEndian(value: number, bytes: number): Buffer {
  const out = Buffer.alloc(bytes);
  out.writeUIntLE(value, 0, bytes);
  return out;
}
