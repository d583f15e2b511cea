import type { Size } from './media.js';

/** Strips of about this many bytes: what the reader of the file holds at a time. */
const stripTarget = 1 << 20;

/** A directory entry of TIFF 6.0, with the 8-byte counts and values of BigTIFF. */
interface Entry {
  tag: number;
  type: 'short' | 'long' | 'undefined' | 'long8';
  values: ArrayLike<number>;
}

const types = {
  short: { id: 3, bytes: 2 },
  long: { id: 4, bytes: 4 },
  undefined: { id: 7, bytes: 1 },
  long8: { id: 16, bytes: 8 },
};

/** What the rows of a picture are; with an ICC profile their numbers are meant as it says, otherwise as sRGB. */
export interface RowShape extends Size {
  channels: 1 | 3 | 4;
  profile?: Uint8Array | undefined;
}

/**
 * The start of an uncompressed 8-bit BigTIFF, grey or RGB, after which the rows follow as they are: interleaved, without
 * padding. Written by ourselves because no writer of the image library takes its pixels piece by piece, and TIFF
 * because its reader works strip by strip: encoding it to PNG peaks at 95 MB for 48 and for 96 megapixels alike.
 */
export function tiffHeader(shape: RowShape): Buffer {
  const { rowsPerStrip } = stripsOf(shape);
  const strips = Math.ceil(shape.height / rowsPerStrip);
  const listed = (strips > 1 ? 2 * strips * 8 : 0) + (shape.profile ? listedBytes(shape.profile.length) : 0);
  const entries = 10 + (shape.channels === 4 ? 1 : 0) + (shape.profile ? 1 : 0);
  const pixelsAt = headBytes + 8 + entries * 20 + 8 + listed;
  return Buffer.concat([head(headBytes), directory(shape, { at: headBytes, pixelsAt })]);
}

/**
 * What makes a file that has such rows from `pixelsAt` (16 at least) on and ends at `end` the same kind of TIFF: 16 bytes
 * for its start and what is put to `at`, at its end.
 */
export function tiffAround(shape: RowShape, place: { pixelsAt: number; end: number }) {
  const at = place.end + (place.end % 2);
  return { head: head(at), directory: directory(shape, { at, pixelsAt: place.pixelsAt }), at };
}

const headBytes = 16;

function head(directoryAt: number): Buffer {
  const out = Buffer.alloc(headBytes);
  out.write('II+\0\x08', 0, 'latin1');
  out.writeBigUInt64LE(BigInt(directoryAt), 8);
  return out;
}

function stripsOf({ width, height, channels }: RowShape): { rowBytes: number; rowsPerStrip: number } {
  const rowBytes = width * channels;
  return { rowBytes, rowsPerStrip: Math.min(height, Math.max(1, Math.floor(stripTarget / rowBytes))) };
}

function directory(shape: RowShape, { at, pixelsAt }: { at: number; pixelsAt: number }): Buffer {
  const { width, height, channels, profile } = shape;
  const { rowBytes, rowsPerStrip } = stripsOf(shape);
  const strips = Math.ceil(height / rowsPerStrip);
  const offsets = Array.from({ length: strips }, (_, strip) => pixelsAt + strip * rowsPerStrip * rowBytes);
  const counts = Array.from(
    { length: strips },
    (_, strip) => rowBytes * Math.min(rowsPerStrip, height - strip * rowsPerStrip),
  );
  const entries: Entry[] = [
    { tag: 256, type: 'long', values: [width] },
    { tag: 257, type: 'long', values: [height] },
    { tag: 258, type: 'short', values: Array(channels).fill(8) }, // bits per sample
    { tag: 259, type: 'short', values: [1] }, // not compressed
    { tag: 262, type: 'short', values: [channels === 1 ? 1 : 2] }, // 0 is black, or RGB
    { tag: 273, type: 'long8', values: offsets },
    { tag: 277, type: 'short', values: [channels] },
    { tag: 278, type: 'long', values: [rowsPerStrip] },
    { tag: 279, type: 'long8', values: counts },
    { tag: 284, type: 'short', values: [1] }, // interleaved
  ];
  if (channels === 4) entries.push({ tag: 338, type: 'short', values: [2] }); // straight alpha
  if (profile) entries.push({ tag: 34675, type: 'undefined', values: profile });
  return serialize(entries, at);
}

/** A directory that will stand at this place. Values of up to 8 bytes stand in their entry, longer lists after all of them. */
function serialize(entries: Entry[], directoryAt: number): Buffer {
  const sizes = entries.map(({ type, values }) => listedBytes(values.length * types[type].bytes));
  let listAt = 8 + entries.length * 20 + 8;
  const out = Buffer.alloc(sizes.reduce((sum, size) => sum + size, listAt));
  out.writeBigUInt64LE(BigInt(entries.length), 0);
  entries.forEach(({ tag, type, values }, index) => {
    const at = 8 + index * 20;
    const { id, bytes } = types[type];
    out.writeUInt16LE(tag, at);
    out.writeUInt16LE(id, at + 2);
    out.writeBigUInt64LE(BigInt(values.length), at + 4);
    const isInline = values.length * bytes <= 8;
    if (!isInline) out.writeBigUInt64LE(BigInt(directoryAt + listAt), at + 12);
    writeValues(out, isInline ? at + 12 : listAt, { type, values });
    listAt += sizes[index] as number;
  });
  return out;
}

/** What a list takes after the directory; none begins at an odd place. */
function listedBytes(bytes: number): number {
  return bytes <= 8 ? 0 : bytes + (bytes % 2);
}

function writeValues(out: Buffer, at: number, { type, values }: Omit<Entry, 'tag'>): void {
  const { bytes } = types[type];
  for (let index = 0; index < values.length; index++) {
    const value = values[index] as number;
    if (type === 'long8') out.writeBigUInt64LE(BigInt(value), at + index * bytes);
    else out.writeUIntLE(value, at + index * bytes, bytes);
  }
}
