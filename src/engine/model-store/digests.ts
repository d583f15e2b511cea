import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { WeightFile } from '../../models/lockfile.js';

/** What identifies the bytes of a file; digests in lower-case hex. */
export interface Digests {
  bytes: number;
  sha256: string;
  md5: string;
}

/** Reads a file from its begin to its end. */
export async function digestsOf(path: string, signal?: AbortSignal): Promise<Digests> {
  const [sha256, md5] = [createHash('sha256'), createHash('md5')];
  let bytes = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20, signal }) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    sha256.update(chunk);
    md5.update(chunk);
  }
  return { bytes, sha256: sha256.digest('hex'), md5: md5.digest('hex') };
}

/** How these bytes differ from what an entry says of its file, in words; null if they don't. A SHA-256 outranks an MD5. */
export function difference(file: WeightFile, found: Digests): string | null {
  if (file.bytes !== null && file.bytes !== found.bytes) {
    return `expected ${file.bytes} bytes in ${file.name}, found ${found.bytes}`;
  }
  const kind = file.sha256 === null ? 'md5' : 'sha256';
  const expected = file[kind];
  if (!expected || expected === found[kind]) return null;
  return `expected ${file.name} with ${kind} ${expected}, found ${found[kind]}`;
}

/** The entry of a file with the digest that its bytes have. */
export function pin(file: WeightFile, { bytes, sha256 }: Digests): WeightFile {
  return { ...file, bytes, sha256 };
}
