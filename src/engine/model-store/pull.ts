import { rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ModelEntry, WeightFile } from '../../models/lockfile.js';
import { maxFileBytes, weightPath } from '../../models/files/weights.js';
import { linkOrCopy } from '../blobs/durable-files.js';
import { checkFreeSpace } from '../blobs/disk-space.js';
import { EngineError } from '../errors.js';
import { type Digests, difference, digestsOf, pin } from './digests.js';
import { checkFiles } from './contents.js';
import { stageModel } from './staging.js';
import type { Network } from './network.js';
import { Interrupted, transfer } from './transfer.js';

export interface PullParts {
  /** `<data>/models`. */
  folder: string;
  network: Network;
  /** Where `<id>/<file>` is asked for first; null: nowhere. */
  mirror: string | null;
  /** Bytes that stay free on the disk. */
  minFreeBytes: number;
  freeBytes(): Promise<number>;
  /** Pauses in milliseconds between tries that bring nothing new; one more than there are is the end. */
  pauses?: readonly number[];
}

export interface PullOptions {
  signal?: AbortSignal | undefined;
  /** Bytes of this file that are there, of how many. */
  onProgress?(file: WeightFile, done: number, total: number | null): void;
}

const usualPauses = [500, 1_000, 2_000, 4_000, 8_000];

/**
 * Fetches the files of a model that are not there yet, checks them and gives the model its place. Returns the entry with
 * the digest of every file. Errors: `provider_unavailable` when no address has a file, `model_unavailable` for bytes that
 * are not those of the entry, `storage_full`, `busy`, `cancelled`.
 */
export async function pullModel(entry: ModelEntry, parts: PullParts, options: PullOptions = {}): Promise<ModelEntry> {
  const homeless = entry.files.find((file) => addresses(entry, file, parts).length === 0);
  if (homeless) {
    throw new EngineError(
      'model_unavailable',
      `Model "${entry.id}" can't be pulled: nobody publishes ${homeless.name}. ${entry.notes ?? ''} Then: npx darkroom models import FILE --as ${entry.id}`,
    );
  }
  return stageModel(parts.folder, entry.id, async (stage) => {
    await checkFreeSpace(parts.minFreeBytes + (await missingBytes(entry, stage, parts.folder)), parts.freeBytes);
    const files: WeightFile[] = [];
    for (const file of entry.files) files.push(await gather(entry, file, { stage, parts, options }));
    await checkFiles(entry, stage);
    return { ...entry, files };
  });
}

interface Gathering {
  stage: string;
  parts: PullParts;
  options: PullOptions;
}

/** One file under its name in the stage: left there by an earlier try, installed already, or fetched. */
async function gather(entry: ModelEntry, file: WeightFile, gathering: Gathering): Promise<WeightFile> {
  const { stage, parts, options } = gathering;
  const path = join(stage, file.name);
  const kept = await keep(file, path);
  if (kept) return pin(file, kept);
  const installed = file.sha256 === null ? null : await keep(file, weightPath(entry, file, parts.folder));
  if (installed) {
    await linkOrCopy(weightPath(entry, file, parts.folder), path);
    return pin(file, installed);
  }
  const found = await fetchFile(entry, file, gathering);
  options.onProgress?.(file, found.bytes, found.bytes);
  await rename(partPath(path), path);
  return pin(file, found);
}

/** The digests of a file that is there and is the right one; null otherwise. */
async function keep(file: WeightFile, path: string): Promise<Digests | null> {
  const found = await stat(path).catch(() => null);
  if (!found?.isFile() || (file.bytes !== null && found.size !== file.bytes)) return null;
  const digests = await digestsOf(path);
  return difference(file, digests) === null ? digests : null;
}

/** Tries the addresses one after the other until one gives the right bytes. */
async function fetchFile(entry: ModelEntry, file: WeightFile, gathering: Gathering): Promise<Digests> {
  const part = partPath(join(gathering.stage, file.name));
  const reasons: EngineError[] = [];
  for (const url of addresses(entry, file, gathering.parts)) {
    try {
      await persist(url, file, gathering);
      const found = await digestsOf(part, gathering.options.signal);
      const problem = difference(file, found);
      if (problem === null) return found;
      await rm(part, { force: true });
      throw new EngineError('model_unavailable', `Model "${entry.id}" is refused: ${problem}; it came from ${url}`);
    } catch (error) {
      gathering.options.signal?.throwIfAborted();
      if (!(error instanceof EngineError) || !mayBeElsewhere.includes(error.code)) throw error;
      reasons.push(error);
    }
  }
  const [first] = reasons;
  if (reasons.length === 1 && first) throw first;
  throw new EngineError(first?.code ?? 'provider_unavailable', reasons.map(({ message }) => message).join('\n'), {
    cause: first,
  });
}

const mayBeElsewhere = ['provider_unavailable', 'model_unavailable', 'too_large'];

/** Connects again, and goes on, as long as something new comes. */
async function persist(url: string, file: WeightFile, { stage, parts, options }: Gathering): Promise<void> {
  const path = partPath(join(stage, file.name));
  const { pauses = usualPauses } = parts;
  let [failures, before] = [0, await sizeOf(path)];
  for (;;) {
    try {
      return await transfer(url, transferOptions(path, file, { parts, options }), parts.network);
    } catch (error) {
      if (!(error instanceof Interrupted)) throw error;
      const after = await sizeOf(path);
      failures = after > before ? 1 : failures + 1;
      before = after;
      const pause = pauses[failures - 1];
      if (pause === undefined) throw stopped(url, error, after);
      await sleep(pause, undefined, { signal: options.signal }).catch(() => options.signal?.throwIfAborted());
    }
  }
}

function transferOptions(path: string, file: WeightFile, { parts, options }: Pick<Gathering, 'parts' | 'options'>) {
  return {
    path,
    bytes: file.bytes,
    maxBytes: maxFileBytes,
    signal: options.signal,
    checkRoom: (bytes: number) => checkFreeSpace(parts.minFreeBytes + bytes, parts.freeBytes),
    onProgress: (done: number, total: number | null) => options.onProgress?.(file, done, total),
  };
}

function stopped(url: string, error: Interrupted, bytes: number): EngineError {
  const kept = bytes > 0 ? `; the ${bytes} bytes that came are kept, so run it again to go on` : '; run it again later';
  return new EngineError('provider_unavailable', `${url} can't be fetched: ${error.message}${kept}`, { cause: error });
}

function addresses({ id }: ModelEntry, { name, url, mirrors = [] }: WeightFile, { mirror }: PullParts): string[] {
  const first = mirror === null ? [] : [`${mirror}/${id}/${name}`];
  return [...first, ...(url === null ? [] : [url]), ...mirrors];
}

/** What is still to come, as far as sizes are known; what is installed is linked rather than copied. */
async function missingBytes(entry: ModelEntry, stage: string, folder: string): Promise<number> {
  let bytes = 0;
  for (const file of entry.files) {
    if (file.bytes === null || (await sizeOf(weightPath(entry, file, folder))) === file.bytes) continue;
    const path = join(stage, file.name);
    bytes += Math.max(0, file.bytes - (await sizeOf(path)) - (await sizeOf(partPath(path))));
  }
  return bytes;
}

/** The name of a file that is not whole or not checked. */
function partPath(path: string): string {
  return `${path}.part`;
}

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}
