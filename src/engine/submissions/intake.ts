import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { LinkedFile, ReceivedFile, Submission } from '../api.js';
import type { BlobStore } from '../blobs/blob-store.js';
import { decodeDataUri, isDataUri } from '../downloads/data-uri.js';
import type { Downloader } from '../downloads/download.js';
import { EngineError } from '../errors.js';
import type { JobInput } from '../jobs/job-store.js';
import { contentTypes, type Size } from '../media/media.js';
import type { Operation } from '../operations/operation.js';
import { checkOverlay } from '../operations/overlay.js';
import type { TaskRunner } from '../task.js';

export interface IntakeParts {
  blobs: BlobStore;
  download: Downloader;
  runner: Pick<TaskRunner, 'inspect'>;
  maxBytes: number;
  /** How long the answer waits for a picture that is named by its address: what is wrong with most can be told at once. */
  patienceMs: number;
}

type Source = Submission['inputs'][number];

/**
 * The pictures of a submission, each stored and decoded once for a check, save those whose hosts are slow: they are left
 * to the job. What gets stored on the way is added to `stored`, so that the caller can remove it when this fails.
 */
export async function takeIn(
  submission: Submission,
  operation: Operation,
  { stored, ...parts }: IntakeParts & { stored: ReceivedFile[] },
): Promise<JobInput[]> {
  checkFields(submission.inputs, operation);
  // A mask is compared with its picture here, so both have to be here.
  const isPatient = operation.pictures.some(({ isOverlay = false }) => isOverlay);
  const signal = isPatient ? null : AbortSignal.timeout(parts.patienceMs);
  const sources = await settledAll(
    submission.inputs.map(async (source): Promise<Stored | LinkedFile> => {
      if (isReceived(source)) return { file: source, param: source.field };
      const file = await fetchInto(source, { ownBases: submission.ownBases ?? [], signal, ...parts });
      if (file === null) return source;
      stored.push(file);
      const { field, url } = source;
      return { file, param: `${field}_url`, ...(!isDataUri(url) && { url }) };
    }),
  );
  const pictures = await inspectAll(
    sources.filter((source) => 'file' in source),
    parts,
  );
  checkOverlays(pictures, operation);
  const seen = pictures.map(({ input }) => input).values();
  return sources.map((source) => ('file' in source ? (seen.next().value as JobInput) : later(source)));
}

/** A picture that its job will fetch. */
function later({ field, url }: LinkedFile): JobInput {
  return { field, blob: null, bytes: 0, contentType: '', url };
}

/** Removes stored files that nothing refers to. */
export async function discard(files: { blob: string | null }[], blobs: BlobStore): Promise<void> {
  await Promise.all(files.map(async ({ blob }) => blob !== null && blobs.remove(blob)));
}

/**
 * What makes this request the same as another: operation, params, whom to tell, and inputs, by digest for uploaded
 * files and by address for linked ones (which are not fetched again for a replay).
 */
export function fingerprint(
  operation: Operation,
  params: Record<string, unknown>,
  { inputs, webhook, autoRetry = false }: Pick<Submission, 'inputs' | 'webhook' | 'autoRetry'>,
): string {
  const sortedParams = Object.entries(params).sort(([a], [b]) => (a < b ? -1 : 1));
  const files = inputs.map((input) => [input.field, isReceived(input) ? input.sha256 : input.url]);
  return createHash('sha256')
    .update(JSON.stringify([operation.name, sortedParams, files, webhook?.url, autoRetry]))
    .digest('hex');
}

export function isReceived(source: Source): source is ReceivedFile {
  return 'blob' in source;
}

function checkFields(inputs: Source[], operation: Operation): void {
  const { name, pictures } = operation;
  for (const { field } of inputs) {
    if (pictures.some((picture) => picture.field === field)) continue;
    const known = pictures.map((picture) => picture.field).join(', ') || 'no pictures';
    throw misplaced(field, `\`${field}\` is not a picture of ${name}; it takes ${known}`);
  }
  for (const { field, required = false, max = 1 } of pictures) {
    const count = inputs.filter((input) => input.field === field).length;
    if (count > max) throw misplaced(field, tooMany(field, max, count));
    if (count === 0 && required) {
      const message = `No picture came: send it as the form field \`${field}\`, or as \`${field}_url\` in JSON`;
      throw misplaced(field, message);
    }
  }
}

function tooMany(field: string, max: number, count: number): string {
  return max === 1
    ? `Expected one picture in \`${field}\`, got ${count}; send one request for each`
    : `Expected at most ${max} pictures in \`${field}\`, got ${count}`;
}

function misplaced(param: string, message: string): EngineError {
  return new EngineError('invalid_input', message, { param });
}

/** A picture of a submission once it is here. */
interface Stored {
  file: ReceivedFile;
  /** The name that it came under. */
  param: string;
  /** Where it was fetched from. */
  url?: string;
}

/** A picture that can be opened. */
interface Inspected {
  input: JobInput;
  param: string;
  size: Size;
}

/** Looks into all of them at once; what is wrong with the first that is not in order is told when no file is in use any more. */
async function inspectAll(pictures: Stored[], parts: IntakeParts): Promise<Inspected[]> {
  return settledAll(pictures.map((picture) => inspect(picture, parts)));
}

/** Like `Promise.all`, but the first failure is told only when all have ended. */
async function settledAll<Value>(promises: Promise<Value>[]): Promise<Value[]> {
  const results = await Promise.allSettled(promises);
  return results.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}

function checkOverlays(inspected: Inspected[], { pictures }: Operation): void {
  const [main] = pictures;
  const under = inspected.find(({ input }) => input.field === main?.field);
  if (!under) return;
  const overlays = pictures.filter(({ isOverlay = false }) => isOverlay).map(({ field }) => field);
  for (const { input, param, size } of inspected) {
    if (overlays.includes(input.field)) checkOverlay(size, under.size, param);
  }
}

async function inspect({ file, param, url }: Stored, { blobs, runner }: IntakeParts): Promise<Inspected> {
  const local = await blobs.materialize(file.blob);
  try {
    const { format, width, height } = await runner.inspect(local.path, param);
    const { field, blob, bytes, name } = file;
    const known = { ...(name !== undefined && { name }), ...(url !== undefined && { url }) };
    return {
      input: { field, blob, bytes, contentType: contentTypes[format], ...known },
      param,
      size: { width, height },
    };
  } finally {
    await local.release();
  }
}

interface Fetching extends IntakeParts {
  ownBases: string[];
  /** Ends the patience; null: without end. */
  signal: AbortSignal | null;
}

/** The file, or null if its host takes longer than the patience. */
async function fetchInto({ field, url }: LinkedFile, parts: Fetching): Promise<ReceivedFile | null> {
  const { blobs, download, maxBytes, ownBases, signal } = parts;
  const param = `${field}_url`;
  const options = { extension: 'bin', maxBytes, param };
  if (isDataUri(url)) {
    const bytes = decodeDataUri(url, { maxBytes, param });
    return received(field, await blobs.put(Readable.from([bytes]), options));
  }
  const own = ownOutput(url, ownBases);
  if (own) {
    // A hard link, so that the job's input outlives the output it came from.
    const copied = await blobs.copy(own).catch((error) => {
      throw new EngineError('invalid_input', `${param} names one of our own outputs that is no longer there: ${url}`, {
        param,
        cause: error,
      });
    });
    return { field, blob: copied.id, bytes: copied.bytes, sha256: copied.etag };
  }
  try {
    const { stream } = await download.open(url, { param, ...(signal && { signal }) });
    return received(field, await blobs.put(stream, options));
  } catch (error) {
    if (signal?.aborted) return null;
    throw error;
  }
}

function received(field: string, stored: { id: string; bytes: number; sha256: string }): ReceivedFile {
  return { field, blob: stored.id, bytes: stored.bytes, sha256: stored.sha256 };
}

function ownOutput(url: string, ownBases: string[]): string | null {
  for (const base of ownBases) {
    const prefix = `${base}/output/`;
    if (url.startsWith(prefix)) return url.slice(prefix.length);
  }
  return null;
}
