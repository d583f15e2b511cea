import { inflateRawSync } from 'node:zlib';

/** An array of floats. */
export interface FloatArray {
  data: Float32Array;
  shape: number[];
}

// No file of an archive is larger: 54 voices of half a megabyte are what there is.
const mostBytes = 64_000_000;

/**
 * The arrays of NumPy's archive (a zip of `.npy` files, stored or deflated) by name. Throws an Error that says in words
 * what is wrong with it: only 32-bit floats in rows from first to last are taken.
 */
export function readNpz(archive: Uint8Array): Map<string, FloatArray> {
  const zip = Buffer.from(archive.buffer, archive.byteOffset, archive.byteLength);
  try {
    return new Map(filesOf(zip).map(({ name, bytes }) => [name.replace(/\.npy$/, ''), readNpy(bytes(), name)]));
  } catch (error) {
    if (error instanceof RangeError) throw new Error('the archive is cut off, or no archive', { cause: error });
    throw error;
  }
}

interface ZipFile {
  name: string;
  bytes(): Buffer;
}

/** The files of a zip, from its central directory (APPNOTE 4.3.12). */
function filesOf(zip: Buffer): ZipFile[] {
  const end = zip.lastIndexOf('PK\x05\x06', undefined, 'latin1');
  if (end < 0) throw new Error('it is no archive: it has no list of files at its end');
  const files: ZipFile[] = [];
  let at = zip.readUInt32LE(end + 16);
  for (let left = zip.readUInt16LE(end + 10); left > 0; left--) {
    const [name, extra, comment] = [zip.readUInt16LE(at + 28), zip.readUInt16LE(at + 30), zip.readUInt16LE(at + 32)];
    files.push(fileAt(zip, at, name));
    at += 46 + name + extra + comment;
  }
  return files;
}

function fileAt(zip: Buffer, at: number, nameLength: number): ZipFile {
  const name = zip.toString('utf8', at + 46, at + 46 + nameLength);
  const [method, packed] = [zip.readUInt16LE(at + 10), zip.readUInt32LE(at + 20)];
  const header = zip.readUInt32LE(at + 42);
  const start = header + 30 + zip.readUInt16LE(header + 26) + zip.readUInt16LE(header + 28);
  return {
    name,
    bytes() {
      const body = zip.subarray(start, start + packed);
      if (body.length !== packed) throw new RangeError(`${name} ends beyond the archive`);
      if (method === 0) return body;
      if (method !== 8) throw new Error(`${name} is packed in a way (${method}) that is not known`);
      return inflateRawSync(body, { maxOutputLength: mostBytes });
    },
  };
}

/** Format version 1 or 2 of NumPy's array files: a magic word, a header in Python's notation, the samples. */
function readNpy(file: Buffer, name: string): FloatArray {
  if (file.toString('latin1', 0, 6) !== '\x93NUMPY') throw new Error(`${name} is no array`);
  const isShort = file.readUInt8(6) === 1;
  const start = isShort ? 10 + file.readUInt16LE(8) : 12 + file.readUInt32LE(8);
  const header = file.toString('latin1', isShort ? 10 : 12, start);
  const shape = /'shape':\s*\(([\d,\s]*)\)/.exec(header)?.[1]?.match(/\d+/g)?.map(Number) ?? [];
  if (!/'descr':\s*'<f4'/.test(header) || !/'fortran_order':\s*False/.test(header)) {
    throw new Error(`${name} has other samples than 32-bit floats in rows`);
  }
  const count = shape.reduce((product, side) => product * side, 1);
  const body = file.subarray(start, start + 4 * count);
  if (body.length !== 4 * count) throw new RangeError(`${name} ends before its last sample`);
  // Copied, since the samples need not begin at a multiple of four.
  return { data: new Float32Array(Uint8Array.from(body).buffer), shape };
}
