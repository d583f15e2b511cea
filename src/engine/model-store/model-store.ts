import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Lockfile, ModelEntry } from '../../models/lockfile.js';
import { readLockfile } from '../../models/lockfile.js';
import type { ModelStatus } from '../../models/model.js';
import { licenceProblem, lockfilePath, type ModelContext, modelStatuses } from '../../models/files/weights.js';
import { freeBytesOfDisk } from '../blobs/disk-space.js';
import { megabyte } from '../byte-size.js';
import { type Config, modelsFolder } from '../config.js';
import { EngineError } from '../errors.js';
import { addModel, type OwnModel } from './add.js';
import { writeBundle } from './bundle.js';
import { type Catalogue, readCatalogue } from './catalogue.js';
import { type ImportParts, importBundle, importFile, isBundle } from './import.js';
import { findRubbish, type Rubbish } from './prune.js';
import { type PullOptions, type PullParts, pullModel } from './pull.js';
import { discardModel } from './staging.js';
import { openNetwork } from './network.js';
import { type Verdict, verifyModel } from './verify.js';

/** Asked with what is about to come, so that somebody can read the licences; throws to refuse. */
export type Consent = (models: readonly ModelEntry[]) => Promise<void>;

/** What an owner does with models: the command line is a thin layer over this. */
export interface ModelStore {
  /** The program's models and the owner's own, and what is wrong with folders of models. */
  catalogue(): Catalogue;
  statuses(): ModelStatus[];
  /** Errors: `invalid_input` for an id that there is not. */
  find(id: string): ModelEntry;
  /** Errors: `model_unavailable` (a licence that is refused, wrong bytes), `provider_unavailable`, `storage_full`, `busy`. */
  pull(entry: ModelEntry, options?: PullOptions): Promise<ModelEntry>;
  /** Reads every file of a model again. */
  verify(entry: ModelEntry): Promise<Verdict>;
  /** A bundle, or with `as` the only file of a listed model. Errors: `invalid_input`, `model_unavailable`, `storage_full`. */
  import(path: string, options: { as?: string | undefined; consent: Consent }): Promise<ModelEntry[]>;
  /** Errors: `model_unavailable` for what is not installed or damaged, `invalid_input` for bundled ones. */
  export(ids: readonly string[], path: string): Promise<void>;
  add(own: OwnModel): Promise<ModelEntry>;
  /** Errors: `invalid_input` for one that is not there or comes with the program. */
  remove(id: string): Promise<void>;
  rubbish(): Promise<Rubbish[]>;
  prune(rubbish: readonly Rubbish[]): Promise<void>;
  close(): Promise<void>;
}

/** The models of the data folder that these settings name. Errors: `invalid_input` for a proxy that is none. */
export function createModelStore(config: Config, program: Lockfile = readLockfile(lockfilePath)): ModelStore {
  const parts = openParts(config, program);
  const { folder, network, catalogue } = parts;
  const find = (id: string) => findModel(id, catalogue());
  return {
    catalogue,
    find,
    statuses: () => modelStatuses(catalogue().lock, parts),
    pull: (entry, options) => pullModel(allowed(entry, parts), parts, options),
    verify: (entry) => verifyModel(entry, folder),
    import: (path, { as, consent }) => {
      const asked: Consent = async (models) => consent(models.map((entry) => allowed(entry, parts)));
      return takeIn(path, as === undefined ? null : find(as), { ...parts, consent: asked });
    },
    export: async (ids, path) => {
      const models = ids.map((id) => exportable(find(id)));
      await writeBundle(path, models, folder);
    },
    add: (own) => addModel(own, catalogue().lock, folder),
    remove: (id) => removeModel(id, catalogue(), folder),
    rubbish: () => findRubbish(catalogue(), folder),
    prune: async (rubbish) => {
      for (const { path } of rubbish) await rm(path, { recursive: true, force: true });
    },
    close: () => network.close(),
  };
}

/** What the methods work with. */
type StoreParts = ModelContext & PullParts & Omit<ImportParts, 'consent'> & { catalogue(): Catalogue };

function openParts(config: Config, program: Lockfile): StoreParts {
  const folder = modelsFolder(config);
  const network = openNetwork({
    httpProxy: config.HTTP_PROXY,
    httpsProxy: config.HTTPS_PROXY,
    noProxy: config.NO_PROXY,
  });
  return {
    folder,
    program,
    network,
    mirror: config.DARKROOM_MODEL_MIRROR ?? null,
    allowNonCommercial: config.DARKROOM_ALLOW_NONCOMMERCIAL,
    minFreeBytes: config.DARKROOM_MIN_FREE_MB * megabyte,
    freeBytes: async () => freeBytesOfDisk(await made(folder)),
    catalogue: () => readCatalogue(folder, program),
  };
}

function allowed(entry: ModelEntry, parts: StoreParts): ModelEntry {
  const problem = licenceProblem(entry, parts);
  if (problem === null) return entry;
  throw new EngineError('model_unavailable', `Model "${entry.id}" is refused: ${problem}`);
}

async function made(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  return folder;
}

function findModel(id: string, { lock, broken }: Catalogue): ModelEntry {
  const damaged = broken.find((each) => each.id === id);
  const entry = lock.models.find((each) => each.id === id);
  if (entry) return entry;
  if (damaged) throw new EngineError('model_unavailable', damaged.problem);
  throw new EngineError('invalid_input', `There is no model "${id}"; npx darkroom models list shows them all`, {
    param: 'id',
  });
}

async function takeIn(path: string, as: ModelEntry | null, parts: ImportParts): Promise<ModelEntry[]> {
  const isArchive = await isBundle(path).catch((error: Error) => {
    throw new EngineError('invalid_input', `${path} can't be read: ${error.message}`, { param: 'file', cause: error });
  });
  if (as) return [await importFile(path, as, parts)];
  if (isArchive) return importBundle(path, parts);
  throw new EngineError(
    'invalid_input',
    `${path} is no bundle; give --as ID to take it as the file of a listed model, or use models add`,
    { param: 'file' },
  );
}

function exportable(entry: ModelEntry): ModelEntry {
  if (entry.tier !== 'bundled') return entry;
  throw new EngineError('invalid_input', `"${entry.id}" comes with the program and need not be exported`, {
    param: 'id',
  });
}

async function removeModel(id: string, { lock }: Catalogue, folder: string): Promise<void> {
  const entry = lock.models.find((each) => each.id === id);
  if (entry?.tier === 'bundled') {
    throw new EngineError('invalid_input', `"${id}" comes with the program and can't be removed`, { param: 'id' });
  }
  const isName = /^[a-z0-9][a-z0-9.-]*$/.test(id);
  if (isName && (await discardModel(folder, id))) return;
  throw new EngineError('invalid_input', `"${id}" is not installed in ${join(folder, '..')}`, { param: 'id' });
}
