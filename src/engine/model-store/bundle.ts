import { createReadStream, createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { extract, pack } from 'tar-stream';
import { z } from 'zod';
import { type ModelEntry, modelEntry, type WeightFile } from '../../models/lockfile.js';
import { maxFileBytes, weightPath } from '../../models/files/weights.js';
import { writeDurably } from '../blobs/durable-files.js';
import { asStorageError } from '../blobs/disk-space.js';
import { EngineError } from '../errors.js';
import { difference, digestsOf } from './digests.js';

/** The first file of a bundle: which models follow, with the digests of their files. */
const manifestName = 'darkroom-models.json';
const maxManifestBytes = 4_000_000;
const manifestSchema = z.strictObject({
  version: z.literal(1),
  models: z
    .array(modelEntry)
    .min(1)
    .refine((models) => new Set(models.map(({ id }) => id)).size === models.length, 'Expected every model once'),
});

/**
 * Writes the files of models, checked before, into one tar file. Errors: `model_unavailable` for a file that is missing or
 * not the one that its entry says.
 */
export async function writeBundle(path: string, models: readonly ModelEntry[], folder: string): Promise<void> {
  for (const entry of models) for (const file of entry.files) await check(entry, file, weightPath(entry, file, folder));
  const archive = pack();
  const part = `${path}.part`;
  const written = pipeline(archive, createWriteStream(part, { flush: true }));
  try {
    await Promise.all([fill(archive, models, folder), written]);
    await rename(part, path);
  } catch (error) {
    await rm(part, { force: true }).catch(() => {});
    const known = asStorageError(error);
    if (known instanceof EngineError) throw known;
    const reason = `${path} can't be written: ${(error as Error).message}`;
    throw new EngineError('invalid_input', reason, { param: 'output', cause: error });
  }
}

/** A bundle that is being read; nothing of it has been looked at beyond its list of models. */
export interface BundleReader {
  models: ModelEntry[];
  /**
   * Reads the files, in the order of the bundle, each to where `place` says; each is checked against the list. Errors:
   * `invalid_input` for anything else than the listed files, each once.
   */
  extract(place: (entry: ModelEntry, file: WeightFile) => string): Promise<void>;
}

/** Opens a bundle. Errors: `invalid_input` for what is none. */
export async function readBundle(source: Readable): Promise<BundleReader> {
  const members = extract();
  // An end before its time is told to who reads the members; here it only must not go unheard.
  pipeline(source, members).catch(() => {});
  const queue = members[Symbol.asyncIterator]();
  const first = await next(queue);
  if (first?.header.name !== manifestName)
    throw refused(`expected ${manifestName} first, found ${first?.header.name ?? 'nothing'}`);
  const { models } = parseManifest(await readText(first));
  if (models.some(({ tier }) => tier === 'bundled')) throw refused('it lists a model that comes with the program');
  return { models, extract: (place) => extractAll(queue, models, place) };
}

async function fill(archive: ReturnType<typeof pack>, models: readonly ModelEntry[], folder: string): Promise<void> {
  const manifest = JSON.stringify({ version: 1, models }, null, 2);
  archive.entry({ name: manifestName }, manifest);
  for (const entry of models) {
    for (const file of entry.files) {
      const header = { name: `${entry.id}/${file.name}`, size: file.bytes ?? 0, mode: 0o644 };
      const member = archive.entry(header);
      await pipeline(createReadStream(weightPath(entry, file, folder), { highWaterMark: 1 << 20 }), member);
    }
  }
  archive.finalize();
}

async function check(entry: ModelEntry, file: WeightFile, path: string): Promise<void> {
  const found = await digestsOf(path).catch((error: Error) => error.message);
  const problem = typeof found === 'string' ? found : difference(file, found);
  if (problem === null) return;
  throw new EngineError('model_unavailable', `Model "${entry.id}" can't be exported: ${problem}`);
}

type Members = ReturnType<ReturnType<typeof extract>[typeof Symbol.asyncIterator]>;
type Member = Exclude<Awaited<ReturnType<Members['next']>>['value'], undefined>;

async function extractAll(
  queue: Members,
  models: readonly ModelEntry[],
  place: (entry: ModelEntry, file: WeightFile) => string,
): Promise<void> {
  const missing = new Map(
    models.flatMap((entry) => entry.files.map((file) => [`${entry.id}/${file.name}`, { entry, file }] as const)),
  );
  for (let member = await next(queue); member; member = await next(queue)) {
    const { name, type, size } = member.header;
    // Only names that the list has are ever made into a path: no `..`, no absolute path, no link gets that far.
    const listed = missing.get(name);
    if (!listed || type !== 'file') throw refused(`it holds "${name}" (${type}), which its list does not have`);
    missing.delete(name);
    await takeFile(member, { ...listed, size: size ?? 0, path: place(listed.entry, listed.file) });
  }
  const [lacking] = missing.keys();
  if (lacking !== undefined) throw refused(`"${lacking}" is missing`);
}

interface Taking {
  entry: ModelEntry;
  file: WeightFile;
  size: number;
  path: string;
}

async function takeFile(member: Member, { entry, file, size, path }: Taking): Promise<void> {
  if (file.sha256 === null) throw refused(`its list has no sha256 for ${entry.id}/${file.name}`);
  if (size !== file.bytes || size > maxFileBytes) {
    throw refused(`expected ${file.bytes} bytes in ${entry.id}/${file.name}, it has ${size}`);
  }
  await rm(path, { force: true });
  const found = await orRefused(() => writeDurably(path, member));
  const problem = difference(file, { ...found, md5: '' });
  if (problem !== null) throw refused(`${entry.id}: ${problem}`);
}

async function next(queue: Members): Promise<Member | null> {
  const { value, done } = await orRefused(() => queue.next());
  return done ? null : (value as Member);
}

async function readText(member: Member): Promise<string> {
  if ((member.header.size ?? 0) > maxManifestBytes) throw refused(`${manifestName} is too long`);
  const chunks: Buffer[] = [];
  await orRefused(async () => {
    for await (const chunk of member) chunks.push(chunk);
  });
  return Buffer.concat(chunks).toString('utf8');
}

function parseManifest(text: string): z.output<typeof manifestSchema> {
  try {
    return manifestSchema.parse(JSON.parse(text));
  } catch (error) {
    throw refused(`${manifestName} can't be read: ${(error as Error).message}`);
  }
}

/** What tar-stream says of a file that is no archive, or is cut off, as a refusal. */
async function orRefused<T>(step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    if (error instanceof EngineError) throw error;
    throw refused((error as Error).message);
  }
}

function refused(reason: string): EngineError {
  return new EngineError('invalid_input', `This is no bundle of models that can be taken: ${reason}`, {
    param: 'file',
  });
}
