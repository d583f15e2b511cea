import type { Readable } from 'node:stream';

/** One stored file. Its id is its public name: time-ordered, unguessable, with the extension of its type. */
export interface BlobFacts {
  id: string;
  bytes: number;
  contentType: string;
  createdAt: number;
  /** Hex digest of the content, strong validator for HTTP. */
  etag: string;
}

export interface PutOptions {
  /** File extension without the dot; decides the content type. */
  extension: string;
  /** Bytes after which the stream is cut with `too_large`. */
  maxBytes?: number;
  /** Named in the error when the bytes are too many. */
  param?: string;
}

/** What a write that streams gives back: the blob and the digest of what was written. */
export interface PutResult extends BlobFacts {
  sha256: string;
}

/** A blob as a local file, for one task; `release` when done. */
export interface Materialized {
  path: string;
  release(): Promise<void>;
}

/**
 * Where files live. A blob appears whole or not at all (temporary name, fsync, rename) and never changes.
 * Errors: `not_found`, `gone` (older than the retention), `storage_full`, `too_large`, `unsupported` (an extension that
 * is none of `blobTypes`), `invalid_input` (a range outside of the blob, a source that ends early).
 */
export interface BlobStore {
  /** Stores a stream, and destroys it if it can't be read to its end. */
  put(source: Readable, options: PutOptions): Promise<PutResult>;
  /** Takes over a local file, which is gone from its place afterwards. */
  adopt(path: string, extension: string): Promise<BlobFacts>;
  /** A second blob with the same content. */
  copy(id: string): Promise<BlobFacts>;
  stat(id: string): Promise<BlobFacts>;
  /** Bytes `start`..`end` (both inclusive, default the whole) as a stream. */
  read(id: string, range?: { start: number; end: number }): Promise<Readable>;
  materialize(id: string): Promise<Materialized>;
  /** Removes the blob; no error if it is not there. */
  remove(id: string): Promise<void>;
  /** Removes what is older than the retention, and abandoned temporary files; returns the number of blobs. */
  prune(): Promise<number>;
  /** Fails with `storage_full` when free space is under the floor. */
  checkSpace(): Promise<void>;
}
