import { join } from 'node:path';
import { type ModelEntry, readLockfile } from '../models/lockfile.js';
import { chooseModel, lockfilePath, modelStatuses } from '../models/weights.js';
import type { ModelStatus } from './api.js';
import type { Config } from './config.js';
import type { ModelParams, Operation } from './operations/operation.js';

/** The models of the lock file as the engine sees them: which there are, which serves a request. */
export interface ModelShelf {
  /** Errors: `invalid_input` (unknown, or does not fit the params), `model_unavailable` (with the remedy). */
  choose(operation: Operation, params: ModelParams): ModelEntry;
  statuses(): ModelStatus[];
  /** What is wrong with models that come with the program, one sentence each. */
  problems(): string[];
}

/** Reads and checks the lock file. Errors: `model_unavailable`. */
export function openShelf(config: Config): ModelShelf {
  const lock = readLockfile(lockfilePath);
  const context = {
    folder: modelsFolder(config),
    allowNonCommercial: config.DARKROOM_ALLOW_NONCOMMERCIAL,
  };
  const statuses = () => modelStatuses(lock, context);
  return {
    choose: (operation, params) => {
      const misfit = (entry: ModelEntry) => operation.misfit?.(entry, params) ?? null;
      return chooseModel(lock, { task: operation.task, wanted: params.model, misfit }, context);
    },
    statuses,
    problems: () =>
      statuses()
        .filter(({ tier, problem }) => tier === 'bundled' && problem !== null)
        .map(({ id, problem }) => `Model ${id}: ${problem}`),
  };
}

/** Where pulled models lie. */
export function modelsFolder(config: Config): string {
  return join(config.DARKROOM_DATA, 'models');
}
