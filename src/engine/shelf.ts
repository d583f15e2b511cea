import { type Lockfile, readLockfile } from '../models/lockfile.js';
import { chooseModel, lockfilePath, modelStatuses, readVerified } from '../models/weights.js';
import type { ModelStatus } from './api.js';
import { type Config, modelsFolder } from './config.js';
import { EngineError } from './errors.js';
import type { ModelNeed } from './operations/operation.js';

/** Ids of the models of one attempt. */
export interface ChosenModels {
  /** Null if the operation needs none. */
  main: string | null;
  bySlot: Record<string, string>;
}

/** The models of the lock file as the engine sees them: which there are, which serve a request. */
export interface ModelShelf {
  /**
   * A model for every need; optional ones are left out where `auto` finds none.
   * Errors: `invalid_input` (unknown, or does not fit the params), `model_unavailable` (with the remedy).
   */
  choose(needs: readonly ModelNeed[]): ChosenModels;
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
    choose: (needs) => chooseAll(needs, (need) => chooseModel(lock, need, context).id),
    statuses: () => modelStatuses(lock, context),
    problems: () => [...damaged],
  };
}

function chooseAll(needs: readonly ModelNeed[], choose: (need: ModelNeed) => string): ChosenModels {
  const bySlot: Record<string, string> = {};
  for (const need of needs) {
    try {
      bySlot[need.slot ?? need.task] = choose(need);
    } catch (error) {
      const isDispensable = need.optional === true && need.wanted === 'auto';
      if (!(isDispensable && error instanceof EngineError && error.code === 'model_unavailable')) throw error;
    }
  }
  const [first] = needs;
  return { main: first ? (bySlot[first.slot ?? first.task] ?? null) : null, bySlot };
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
