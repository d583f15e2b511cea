import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Lockfile, type ModelEntry, parseEntry, type WeightFile } from '../../models/lockfile.js';
import { EngineError, toEngineError } from '../errors.js';

/**
 * The file in the folder of a model that says what it is: its entry with the digests of the files beside it. A model of
 * the program is pinned by it where the program knows no digest; any other is one of the owner's own.
 */
export const receiptName = 'model.json';

/** The models of the program and those of a data folder. */
export interface Catalogue {
  lock: Lockfile;
  /** Folders of models whose `model.json` can't be used, and why, in a sentence. */
  broken: { id: string; problem: string }[];
}

/** What lies in this folder (`<data>/models`, which need not exist) joined with the models of the program. */
export function readCatalogue(folder: string, program: Lockfile): Catalogue {
  const models = new Map(program.models.map((entry) => [entry.id, entry]));
  const broken: Catalogue['broken'] = [];
  for (const id of foldersIn(folder)) {
    try {
      const found = readReceipt(folder, id);
      const known = models.get(id);
      if (found) models.set(id, known ? pinned(known, found) : { ...found, tier: 'own' });
    } catch (error) {
      broken.push({ id, problem: toEngineError(error).message });
    }
  }
  return { lock: { ...program, models: [...models.values()] }, broken };
}

/** Reads the catalogue anew whenever a model came or went: every one does so by the renaming of its folder. */
export function watchCatalogue(folder: string, program: Lockfile): () => Catalogue {
  let known: { stamp: bigint; catalogue: Catalogue } | null = null;
  return () => {
    const stamp = statSync(folder, { bigint: true, throwIfNoEntry: false })?.mtimeNs ?? 0n;
    if (known?.stamp === stamp) return known.catalogue;
    const catalogue = readCatalogue(folder, program);
    // A second change can come within the same tick of the file system's clock.
    known = BigInt(Date.now()) * 1_000_000n - stamp > settledAfterNs ? { stamp, catalogue } : null;
    return catalogue;
  };
}

const settledAfterNs = 1_000_000_000n;

/** An entry is some thousand characters. */
const maxReceiptBytes = 1_000_000;

function foldersIn(folder: string): string[] {
  try {
    const found = readdirSync(folder, { withFileTypes: true });
    return found.filter((each) => each.isDirectory() && !each.name.startsWith('.')).map(({ name }) => name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new EngineError('model_unavailable', `${folder} can't be read: ${(error as Error).message}`);
  }
}

function readReceipt(folder: string, id: string): ModelEntry | null {
  const path = join(folder, id, receiptName);
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found) return null;
  const remedy = 'remove the model and pull, import or add it again';
  if (!found.isFile() || found.size > maxReceiptBytes) throw refusal(id, `${receiptName} is no entry; ${remedy}`);
  const entry = parseEntry(readFileSync(path, 'utf8'), `models/${id}/${receiptName}`);
  if (entry.id !== id) throw refusal(id, `its ${receiptName} is that of "${entry.id}"; ${remedy}`);
  if (entry.tier === 'bundled') throw refusal(id, `its ${receiptName} says that it comes with the program; ${remedy}`);
  return entry;
}

/** The program's entry with the digests it did not know. */
function pinned(known: ModelEntry, found: ModelEntry): ModelEntry {
  const fill = (file: WeightFile): WeightFile => {
    const same = found.files.find(({ name }) => name === file.name);
    return file.sha256 !== null || !same ? file : { ...file, bytes: same.bytes, sha256: same.sha256 };
  };
  return { ...known, files: known.files.map(fill) };
}

function refusal(id: string, reason: string): EngineError {
  return new EngineError('model_unavailable', `Model "${id}" can't be used: ${reason}`);
}
