import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { readFile, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EngineError } from '../../engine/errors.js';
import { familyProblem } from '../index.js';
import type { Lockfile, ModelEntry, WeightFile } from '../lockfile.js';
import type { ModelStatus, ModelTask } from '../model.js';

// This file is two folders deep both in `src` and in `dist`.
const packageRoot = fileURLToPath(new URL('../../../', import.meta.url));

/** The lock file that comes with the program. */
export const lockfilePath: string = join(packageRoot, 'models.lock.json');

/** Where the weights lie that come with the program. */
export const bundledFolder: string = join(packageRoot, 'src', 'models', 'bundled');

/** What one file of a model may have at most: an ONNX file is a protobuf message, which ends at 2 GiB. */
export const maxFileBytes: number = 2 ** 31 - 1;

/** Where models are looked for, and which may be used. */
export interface ModelContext {
  /** `<data>/models`. */
  folder: string;
  /** Whether weights may be used whose licence forbids commercial use. */
  allowNonCommercial: boolean;
  /** What is known to be wrong with the bytes of a model, in words; null if nothing is. Default: nothing is known. */
  damage?(entry: ModelEntry): string | null;
}

/** Which model a job needs. */
export interface ModelRequest {
  task: ModelTask;
  /** The id of a model, or `auto`. */
  wanted: string;
  /** Why a model of the task can't serve this job; null if it can. Default: every one can. */
  misfit?(entry: ModelEntry): string | null;
  /** The param that names it; default: `model`. */
  param?: string;
}

/** Every model of the lock file and whether it can be used now; sizes are compared, digests only when a model is loaded. */
export function modelStatuses(lock: Lockfile, context: ModelContext): ModelStatus[] {
  return lock.models.map((entry) => {
    const missing = fault(entry, context);
    const { id, task, family, tier, licence, licenceUrl = null, commercialUse } = entry;
    const bytes = totalBytes(entry);
    const problem = licenceProblem(entry, context) ?? familyProblem(entry) ?? missing;
    const facts = { id, task, family, tier, licence, licenceUrl, commercialUse, bytes };
    return { ...facts, comes: wayOf(entry), installed: missing === null, problem };
  });
}

function wayOf(entry: ModelEntry): ModelStatus['comes'] {
  if (familyProblem(entry) !== null) return 'never';
  if (entry.tier === 'bundled') return 'bundled';
  return entry.files.every(({ url }) => url !== null) ? 'pull' : 'import';
}

/** What is wrong with the files of these models, one sentence each with the model's name and what helps. */
export function warningsOf(entries: readonly ModelEntry[], context: ModelContext): string[] {
  return entries.flatMap((entry) => {
    const problem = fault(entry, context);
    return problem === null ? [] : [unavailable(entry, problem).message];
  });
}

/**
 * The model for a request: `auto` is the first that fits, is allowed and is installed, of the preferred ones and then of
 * the owner's own.
 * Errors: `invalid_input` for an id that is unknown or does not fit, `model_unavailable` for one that is not allowed or
 * not installed, with the remedy.
 */
export function chooseModel(lock: Lockfile, request: ModelRequest, context: ModelContext): ModelEntry {
  if (request.wanted === 'auto') return choosePreferred(lock, request, context);
  const candidates = lock.models.filter((entry) => entry.task === request.task);
  const entry = candidates.find(({ id }) => id === request.wanted);
  const { param = 'model' } = request;
  if (!entry) throw unknownModel(request.wanted, candidates, param);
  const misfit = request.misfit?.(entry) ?? null;
  if (misfit !== null) throw new EngineError('invalid_input', `Model "${entry.id}": ${misfit}`, { param });
  const problem = problemOf(entry, context);
  if (problem !== null) throw unavailable(entry, problem);
  return entry;
}

/** Where a file of a model belongs. */
export function weightPath(entry: ModelEntry, file: WeightFile, folder: string): string {
  return join(folderOf(entry, folder), file.name);
}

/**
 * The bytes of a file of a model, read once and checked against its entry; a session is to be made from these very bytes,
 * so that what runs is what was checked. Errors: `model_unavailable`.
 */
export async function readVerified(entry: ModelEntry, file: WeightFile, folder: string): Promise<Uint8Array> {
  const problem = absence(entry, file, folder);
  if (problem !== null) throw unavailable(entry, problem);
  const bytes = await readFile(await realPathOf(entry, file, folder));
  const found = createHash('sha256').update(bytes).digest('hex');
  if (found !== file.sha256) {
    throw unavailable(
      entry,
      `expected ${file.name} with sha256 ${file.sha256}, found ${found}; ${remedy(entry, file)}`,
    );
  }
  return bytes;
}

/** Why the licence of a model keeps it from being used with these settings; null if it does not. */
export function licenceProblem(
  entry: ModelEntry,
  { allowNonCommercial }: Pick<ModelContext, 'allowNonCommercial'>,
): string | null {
  const { commercialUse, licence, licenceUrl } = entry;
  if (commercialUse === true || allowNonCommercial) return null;
  const reason =
    commercialUse === null
      ? `whether the licence of its weights (${licence}) allows commercial use is not known`
      : `the licence of its weights (${licence}) forbids commercial use`;
  const reading = licenceUrl === undefined ? '' : `read ${licenceUrl}; `;
  return `${reason}; ${reading}DARKROOM_ALLOW_NONCOMMERCIAL=1 allows it`;
}

/**
 * The real path of a file of a model. Links may lead to the folder of all models, but not out of the folder of this one.
 * Errors: `model_unavailable`.
 */
export async function realPathOf(entry: ModelEntry, file: WeightFile, folder: string): Promise<string> {
  const root = await realpath(entry.tier === 'bundled' ? bundledFolder : folder);
  const home = entry.tier === 'bundled' ? root : join(root, entry.id);
  const path = await realpath(weightPath(entry, file, folder));
  if (path.startsWith(home + sep)) return path;
  throw unavailable(entry, `${file.name} is a link out of the folder of its model; ${remedy(entry, file)}`);
}

function choosePreferred(lock: Lockfile, request: ModelRequest, context: ModelContext): ModelEntry {
  const preferredIds = lock.preferred[request.task] ?? [];
  const own = lock.models.filter(
    ({ id, tier, task }) => tier === 'own' && task === request.task && !preferredIds.includes(id),
  );
  const candidates = preferredIds
    .map((id) => lock.models.find((entry) => entry.id === id))
    .filter((entry) => entry !== undefined)
    .concat(own);
  const fitting = candidates.filter((entry) => (request.misfit?.(entry) ?? null) === null);
  const usable = fitting.find((entry) => problemOf(entry, context) === null);
  if (usable) return usable;
  const [first] = fitting;
  if (first) throw unavailable(first, problemOf(first, context) ?? 'it can be used now');
  const reasons = candidates.map((entry) => `"${entry.id}": ${request.misfit?.(entry)}`);
  throw new EngineError('model_unavailable', `No model for ${request.task} fits this request; ${reasons.join('; ')}`);
}

function unknownModel(wanted: string, candidates: ModelEntry[], param: string): EngineError {
  const ids = ['auto', ...candidates.map((entry) => entry.id)].join(', ');
  return new EngineError('invalid_input', `Expected "${param}" to be one of ${ids}, got "${wanted}"`, { param });
}

function unavailable(entry: ModelEntry, problem: string): EngineError {
  // What was said before about the same model is not said twice.
  const reason = problem.replace(new RegExp(`^Model "${entry.id}" (is refused|can't be used): `), '');
  return new EngineError('model_unavailable', `Model "${entry.id}" can't be used: ${reason}`);
}

function problemOf(entry: ModelEntry, context: ModelContext): string | null {
  return licenceProblem(entry, context) ?? familyProblem(entry) ?? fault(entry, context);
}

/** What is wrong with the files of a model, and what helps. */
function fault(entry: ModelEntry, { folder, damage }: ModelContext): string | null {
  const absent = entry.files.map((file) => absence(entry, file, folder)).find((reason) => reason !== null);
  if (absent !== undefined) return absent;
  const found = damage?.(entry) ?? null;
  const [file] = entry.files;
  return found === null || !file ? null : `${found}; ${remedy(entry, file)}`;
}

/** Null where the size of a file is not known. */
function totalBytes({ files }: ModelEntry): number | null {
  const sizes = files.map(({ bytes }) => bytes);
  return sizes.includes(null) ? null : sizes.reduce((sum: number, bytes) => sum + (bytes ?? 0), 0);
}

function absence(entry: ModelEntry, file: WeightFile, folder: string): string | null {
  const found = statSync(weightPath(entry, file, folder), { throwIfNoEntry: false });
  if (!found?.isFile()) return `${file.name} is not installed; ${remedy(entry, file)}`;
  if (file.bytes !== null && found.size !== file.bytes) {
    return `expected ${file.bytes} bytes in ${file.name}, found ${found.size}; ${remedy(entry, file)}`;
  }
  if (found.size > maxFileBytes) return `${file.name} has ${found.size} bytes, more than any ONNX file can have`;
  if (file.sha256 !== null) return null;
  return `${file.name} has no sha256 to check it against; ${remedy(entry, file)}, which keeps its digest`;
}

function remedy({ id, tier, licence }: ModelEntry, { url }: WeightFile): string {
  if (tier === 'bundled') return 'it comes with the program: install that anew';
  if (url !== null) return `npx darkroom models pull ${id} (licence: ${licence})`;
  return tier === 'own' ? 'npx darkroom models add FILE' : `npx darkroom models import FILE --as ${id}`;
}

function folderOf(entry: ModelEntry, folder: string): string {
  return entry.tier === 'bundled' ? bundledFolder : join(folder, entry.id);
}
