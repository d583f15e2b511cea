import { createReadStream } from 'node:fs';
import { copyFile, mkdir, open, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Lockfile, ModelEntry, WeightFile } from '../../models/lockfile.js';
import { checkFreeSpace } from '../blobs/disk-space.js';
import { EngineError } from '../errors.js';
import { readBundle } from './bundle.js';
import { checkFiles } from './contents.js';
import { difference, digestsOf, pin } from './digests.js';
import { lendFolder, stageModel } from './staging.js';

export interface ImportParts {
  folder: string;
  program: Lockfile;
  minFreeBytes: number;
  freeBytes(): Promise<number>;
  /** Asked once, before any file is read; throws to refuse. */
  consent(models: readonly ModelEntry[]): Promise<void>;
}

/** Whether a file is a bundle (a tar archive) rather than a single file of a model. */
export async function isBundle(path: string): Promise<boolean> {
  const file = await open(path, 'r');
  try {
    const { buffer } = await file.read(Buffer.alloc(5), 0, 5, 257);
    return buffer.toString('latin1') === 'ustar';
  } finally {
    await file.close();
  }
}

/**
 * Takes the models of a bundle, all or none: every file is read and checked before the first model gets its place. Models
 * that the program knows must be what the program says of them. Errors: `invalid_input`, `model_unavailable`, `storage_full`.
 */
export async function importBundle(path: string, parts: ImportParts): Promise<ModelEntry[]> {
  const bundle = await readBundle(createReadStream(path, { highWaterMark: 1 << 20 }));
  const models = bundle.models.map((entry) => recognise(entry, parts.program));
  await parts.consent(models);
  const bytes = models.flatMap(({ files }) => files).reduce((sum, file) => sum + (file.bytes ?? 0), 0);
  await checkFreeSpace(parts.minFreeBytes + bytes, parts.freeBytes);
  return lendFolder(parts.folder, async (unpacked) => {
    for (const { id } of models) await mkdir(join(unpacked, id), { recursive: true });
    await bundle.extract(({ id }, { name }) => join(unpacked, id, name));
    for (const entry of models) await checkFiles(entry, join(unpacked, entry.id));
    for (const entry of models) await place(entry, join(unpacked, entry.id), parts.folder);
    return models;
  });
}

/** Takes a file as the only file of a listed model that nobody publishes, and keeps its digest. Errors: as `importBundle`. */
export async function importFile(path: string, entry: ModelEntry, parts: ImportParts): Promise<ModelEntry> {
  const [file, ...others] = entry.files;
  if (!file || others.length > 0 || entry.tier === 'bundled') {
    throw new EngineError('invalid_input', `Model "${entry.id}" is not made of one file; import a bundle of it`, {
      param: 'as',
    });
  }
  await parts.consent([entry]);
  const { size } = await stat(path);
  await checkFreeSpace(parts.minFreeBytes + size, parts.freeBytes);
  return stageModel(parts.folder, entry.id, async (stage) => {
    await copyFile(path, join(stage, `${file.name}.part`));
    const found = await digestsOf(join(stage, `${file.name}.part`));
    const problem = difference(file, found);
    if (problem !== null) throw new EngineError('model_unavailable', `Model "${entry.id}" is refused: ${problem}`);
    await rename(join(stage, `${file.name}.part`), join(stage, file.name));
    await checkFiles(entry, stage);
    return { ...entry, files: [pin(file, found)] };
  });
}

/** The program's word on a model that it knows, else the bundle's; the digests are those of the bundle, which must agree. */
function recognise(entry: ModelEntry, { models }: Lockfile): ModelEntry {
  const known = models.find(({ id }) => id === entry.id);
  if (!known) return { ...entry, tier: 'own' };
  if (known.tier === 'bundled') throw otherwise(entry, 'it comes with the program');
  const names = ({ files }: ModelEntry) => files.map(({ name }) => name).join(', ');
  if (names(known) !== names(entry))
    throw otherwise(entry, `expected the files ${names(known)}, it has ${names(entry)}`);
  const agree = (file: WeightFile, index: number): WeightFile => {
    const { sha256 } = entry.files[index] ?? file;
    if (file.sha256 !== null && file.sha256 !== sha256) {
      throw otherwise(entry, `expected ${file.name} with sha256 ${file.sha256}, it lists ${sha256}`);
    }
    return { ...file, sha256, bytes: entry.files[index]?.bytes ?? file.bytes };
  };
  return { ...known, files: known.files.map(agree) };
}

function otherwise({ id }: ModelEntry, reason: string): EngineError {
  return new EngineError('model_unavailable', `Model "${id}" of the bundle is refused: ${reason}`);
}

async function place(entry: ModelEntry, from: string, folder: string): Promise<void> {
  await stageModel(folder, entry.id, async (stage) => {
    for (const { name } of entry.files) await rename(join(from, name), join(stage, name));
    return entry;
  });
}
