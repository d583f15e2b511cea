import { lstat, mkdir, readdir, realpath, rename, rm, rmdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { EngineError } from '../errors.js';
import { blobTypes, newBlobId, parseBlobId } from './blob-id.js';
import type { BlobFacts, BlobStore, Materialized, PutOptions, PutResult } from './blob-store.js';
import { asStorageError, checkFreeSpace, freeBytesOfDisk } from './disk-space.js';
import {
  type Content,
  hasCode,
  linkOrCopy,
  moveOrCopy,
  openForReading,
  secure,
  syncFolder,
  writeDurably,
} from './durable-files.js';
import { incoming } from './incoming.js';

export interface DiskBlobsOptions {
  /** Made if it is not there. Everything in it belongs to the store. */
  folder: string;
  /** How long a blob is kept. */
  retentionMs: number;
  /** Free space of the disk below which nothing more is written. */
  minFreeBytes: number;
  /** Milliseconds since the epoch; default the system clock. */
  now?: () => number;
  /** Bytes that may still be written; default those of the disk that holds the folder. */
  freeBytes?: () => Promise<number>;
}

const hourMs = 60 * 60 * 1000;
const dayMs = 24 * hourMs;
/** Ids that begin with the same 7 hex digits share a folder: those of 2^20 ms, 17.5 minutes. */
const shardDigits = 7;
const shardMs = 16 ** (12 - shardDigits);
const shardForm = /^[0-9a-f]{7}$/;

/**
 * A BlobStore on a folder:
 *
 *     <first 7 digits of the id>/<id>/<sha256>    one folder per blob, its file named by its digest
 *     tmp/<id>                                    what is being written, handed out or removed
 *
 * So a blob and its digest appear with one rename, and pruning looks at old folders only.
 */
export async function openDiskBlobs(options: DiskBlobsOptions): Promise<BlobStore> {
  await mkdir(join(options.folder, 'tmp'), { recursive: true, mode: 0o700 });
  return new DiskBlobs({ ...options, folder: await realpath(options.folder) });
}

class DiskBlobs implements BlobStore {
  readonly #folder: string;
  readonly #temporary: string;
  readonly #retentionMs: number;
  readonly #minFreeBytes: number;
  readonly #now: () => number;
  readonly #freeBytes: () => Promise<number>;
  /** Names in `tmp` that this process works with; whatever their age, they are not abandoned. */
  readonly #inUse = new Set<string>();

  constructor({ folder, retentionMs, minFreeBytes, now, freeBytes }: DiskBlobsOptions) {
    this.#folder = folder;
    this.#temporary = join(folder, 'tmp');
    this.#retentionMs = retentionMs;
    this.#minFreeBytes = minFreeBytes;
    this.#now = now ?? Date.now;
    this.#freeBytes = freeBytes ?? (() => freeBytesOfDisk(folder));
  }

  async put(source: Readable, { extension, maxBytes = Infinity, param }: PutOptions): Promise<PutResult> {
    // A source that fails before it is read must not end the process; reading it tells the error again.
    source.on('error', () => {});
    const chunks = incoming(source, { maxBytes, param, checkSpace: () => this.checkSpace() });
    try {
      const facts = await this.#publish(extension, (part) => writeDurably(part, chunks));
      return { ...facts, sha256: facts.etag };
    } finally {
      source.destroy();
    }
  }

  async adopt(path: string, extension: string): Promise<BlobFacts> {
    if (!(await lstat(path)).isFile()) throw new EngineError('internal', 'Expected a regular file to store');
    let isCopied = false;
    const facts = await this.#publish(extension, async (part) => {
      isCopied = await moveOrCopy(path, part);
      return secure(part);
    });
    if (isCopied) await unlink(path);
    return facts;
  }

  async copy(id: string): Promise<BlobFacts> {
    const { path, extension, etag } = await this.#find(id);
    return this.#publish(extension, async (part) => {
      await this.#whileThere(id, () => linkOrCopy(path, part));
      return { bytes: (await lstat(part)).size, sha256: etag };
    });
  }

  async stat(id: string): Promise<BlobFacts> {
    const { path, extension, createdAt, etag } = await this.#find(id);
    const { size } = await this.#whileThere(id, () => lstat(path));
    return { id, bytes: size, contentType: blobTypes[extension], createdAt, etag };
  }

  async read(id: string, range?: { start: number; end: number }): Promise<Readable> {
    const { path } = await this.#find(id);
    const file = await this.#whileThere(id, () => openForReading(path));
    if (!range) return file.createReadStream();
    const { size } = await file.stat();
    if (!(range.start >= 0 && range.start <= range.end && range.end < size)) {
      await file.close();
      throw new EngineError(
        'invalid_input',
        `Expected a range within the ${size} bytes, got ${range.start}-${range.end}`,
      );
    }
    return file.createReadStream({ start: range.start, end: range.end });
  }

  /** A link of its own, so that neither `remove` nor `prune` takes the file away from a running task. */
  async materialize(id: string): Promise<Materialized> {
    const { path, extension } = await this.#find(id);
    const name = newBlobId(extension, this.#now());
    const local = join(this.#temporary, name);
    this.#inUse.add(name);
    const release = async () => {
      await rm(local, { force: true });
      this.#inUse.delete(name);
    };
    try {
      await this.#whileThere(id, () => linkOrCopy(path, local));
    } catch (error) {
      await release();
      throw asStorageError(error);
    }
    return { path: local, release };
  }

  async remove(id: string): Promise<void> {
    if (parseBlobId(id)) await this.#discard(id);
  }

  async prune(): Promise<number> {
    await this.#pruneTemporary();
    const before = this.#now() - this.#retentionMs;
    let removed = 0;
    for (const entry of await readdir(this.#folder, { withFileTypes: true })) {
      if (!entry.isDirectory() || !shardForm.test(entry.name)) continue;
      if (shardStart(entry.name) < before) removed += await this.#pruneShard(entry.name, before);
    }
    return removed;
  }

  async checkSpace(): Promise<void> {
    await checkFreeSpace(this.#minFreeBytes, this.#freeBytes);
  }

  /** Lets `fill` write one file and makes a blob of it: from then on it is there, whole and lasting. */
  async #publish(extension: string, fill: (path: string) => Promise<Content>): Promise<BlobFacts> {
    const createdAt = this.#now();
    const id = newBlobId(extension, createdAt);
    const staged = join(this.#temporary, id);
    this.#inUse.add(id);
    try {
      await mkdir(staged, { mode: 0o700 });
      const part = join(staged, 'part');
      const { bytes, sha256 } = await fill(part);
      await rename(part, join(staged, sha256));
      await syncFolder(staged);
      await this.#enter(staged, id);
      return { id, bytes, contentType: typeOf(id), createdAt, etag: sha256 };
    } catch (error) {
      throw asStorageError(error);
    } finally {
      await rm(staged, { recursive: true, force: true });
      this.#inUse.delete(id);
    }
  }

  async #enter(staged: string, id: string): Promise<void> {
    const shard = join(this.#folder, id.slice(0, shardDigits));
    await mkdir(shard, { recursive: true, mode: 0o700 });
    // Also when the shard was there already: whoever made it may not have come to this line yet. Costs nothing if unchanged.
    await syncFolder(this.#folder);
    await rename(staged, join(shard, id));
    await syncFolder(shard);
  }

  /** Where the file of a blob lies. Errors: `not_found`, `gone`. */
  async #find(id: string) {
    const parsed = parseBlobId(id);
    if (!parsed || this.#isExpired(parsed.createdAt)) throw this.#absence(id);
    const folder = this.#pathOf(id);
    const [etag] = await this.#whileThere(id, () => readdir(folder));
    if (!etag) throw this.#absence(id);
    const path = join(folder, etag);
    // The root was resolved when the store was opened: a difference means a symbolic link in between.
    if ((await this.#whileThere(id, () => realpath(path))) !== path) throw this.#absence(id);
    return { ...parsed, path, etag };
  }

  async #whileThere<T>(id: string, access: () => Promise<T>): Promise<T> {
    try {
      return await access();
    } catch (error) {
      if (hasCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) throw this.#absence(id);
      throw error;
    }
  }

  #absence(id: string): EngineError {
    const parsed = parseBlobId(id);
    if (!parsed || !this.#isExpired(parsed.createdAt)) {
      return new EngineError('not_found', 'There is no file of this name');
    }
    const days = Number((this.#retentionMs / dayMs).toFixed(2));
    return new EngineError(
      'gone',
      `This file is no longer kept: files are removed after ${days === 1 ? 'a day' : `${days} days`}`,
    );
  }

  #isExpired(createdAt: number): boolean {
    return createdAt < this.#now() - this.#retentionMs;
  }

  #pathOf(id: string): string {
    return join(this.#folder, id.slice(0, shardDigits), id);
  }

  /** Removes a blob; false if it was not there. Renamed first, so that nobody sees half of it. */
  async #discard(id: string): Promise<boolean> {
    const aside = join(this.#temporary, id);
    try {
      await rename(this.#pathOf(id), aside);
    } catch (error) {
      if (hasCode(error, 'ENOENT', 'ENOTDIR')) return false;
      throw error;
    }
    await rm(aside, { recursive: true, force: true });
    return true;
  }

  async #pruneShard(shard: string, before: number): Promise<number> {
    const path = join(this.#folder, shard);
    let removed = 0;
    for (const name of await readdir(path)) {
      const parsed = parseBlobId(name);
      if (parsed && parsed.createdAt < before && (await this.#discard(name))) removed += 1;
    }
    if (shardStart(shard) + shardMs <= before) await removeIfEmpty(path);
    return removed;
  }

  async #pruneTemporary(): Promise<void> {
    const before = this.#now() - hourMs;
    for (const name of await readdir(this.#temporary)) {
      if (this.#inUse.has(name)) continue;
      const path = join(this.#temporary, name);
      // By the name and not by the file: a link is as old as its blob.
      const createdAt = parseBlobId(name)?.createdAt ?? (await lstat(path)).mtimeMs;
      if (createdAt < before) await rm(path, { recursive: true, force: true });
    }
  }
}

async function removeIfEmpty(folder: string): Promise<void> {
  try {
    await rmdir(folder);
  } catch (error) {
    if (!hasCode(error, 'ENOTEMPTY', 'EEXIST', 'ENOENT')) throw error;
  }
}

function shardStart(shard: string): number {
  return Number.parseInt(shard, 16) * shardMs;
}

function typeOf(id: string): string {
  return blobTypes[parseBlobId(id)?.extension ?? 'bin'];
}
