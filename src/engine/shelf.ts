import { type Lockfile, type ModelEntry, readLockfile } from '../models/lockfile.js';
import { chooseModel, lockfilePath, modelStatuses, readVerified } from '../models/weights.js';
import type { ModelStatus } from './api.js';
import { type Config, modelsFolder } from './config.js';
import type { ModelParams, Operation } from './operations/operation.js';

/** The models of the lock file as the engine sees them: which there are, which serves a request. */
export interface ModelShelf {
  /** Errors: `invalid_input` (unknown, or does not fit the params), `model_unavailable` (with the remedy). */
  choose(operation: Operation, params: ModelParams): ModelEntry;
  statuses(): ModelStatus[];
  /** What is wrong with models that come with the program, one sentence each. */
  problems(): string[];
}

/** Reads and checks the lock file, and the digests of the models that come with the program. Errors: `model_unavailable`. */
export async function openShelf(config: Config): Promise<ModelShelf> {
  const lock = readLockfile(lockfilePath);
  const context = { folder: modelsFolder(config), allowNonCommercial: config.DARKROOM_ALLOW_NONCOMMERCIAL };
  const damaged = await checkBundled(lock, context.folder);
  return {
    choose: (operation, params) => {
      const misfit = (entry: ModelEntry) => operation.misfit?.(entry, params) ?? null;
      return chooseModel(lock, { task: operation.task, wanted: params.model, misfit }, context);
    },
    statuses: () => modelStatuses(lock, context),
    problems: () => [...damaged],
  };
}

/** Why bundled models can't be used, one sentence each: said at the start rather than by the first job. */
async function checkBundled(lock: Lockfile, folder: string): Promise<string[]> {
  const problems: string[] = [];
  for (const entry of lock.models.filter(({ tier }) => tier === 'bundled')) {
    for (const file of entry.files) {
      await readVerified(entry, file, folder).catch((error: Error) => problems.push(error.message));
    }
  }
  return problems;
}
