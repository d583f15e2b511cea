import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Lockfile, type ModelEntry, readLockfile } from '../models/lockfile.js';
import { chooseModel, lockfilePath, modelStatuses, readVerified, warningsOf } from '../models/files/weights.js';
import type { ModelStatus } from './api.js';
import { type Config, modelsFolder } from './config.js';
import { EngineError } from './errors.js';
import { watchCatalogue } from './model-store/catalogue.js';
import { Damages } from './model-store/damages.js';
import type { ModelNeed } from './operations/operation.js';
import { twinOf } from './operations/workbench.js';

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
  /** What is wrong with other models that lie in the data folder, one sentence each: jobs do without them. */
  warnings(): string[];
  /** Reads the files of these models again, since a job could not load one and said why. */
  suspect(ids: readonly string[], hearsay?: string): Promise<void>;
  /** Ends what still reads files. */
  close(): Promise<void>;
}

export interface ShelfOptions {
  /** Whether the pulled models are read in the background, so that damage shows before a job needs them. Default true. */
  readsPulled?: boolean;
}

/** Reads and checks the lock file, and the digests of the models that come with the program. Errors: `model_unavailable`. */
export async function openShelf(config: Config, { readsPulled = true }: ShelfOptions = {}): Promise<ModelShelf> {
  const program = readLockfile(lockfilePath);
  const folder = modelsFolder(config);
  const catalogue = watchCatalogue(folder, program);
  const damages = new Damages(folder);
  const context = {
    folder,
    allowNonCommercial: config.DARKROOM_ALLOW_NONCOMMERCIAL,
    damage: (entry: ModelEntry) => damages.of(entry),
  };
  const bundled = await checkBundled(program, folder);
  const pulled = () => catalogue().lock.models.filter((entry) => isThere(entry, folder));
  const background = readsPulled ? damages.look(pulled()) : Promise.resolve();
  return {
    choose: (needs) => chooseAll(needs, (need) => chooseModel(catalogue().lock, need, context)),
    statuses: () => modelStatuses(catalogue().lock, context),
    problems: () => [...bundled],
    warnings: () => [...catalogue().broken.map(({ problem }) => problem), ...warningsOf(pulled(), context)],
    suspect: (ids, hearsay) =>
      damages.look(
        pulled().filter(({ id }) => ids.includes(id)),
        hearsay,
      ),
    close: async () => {
      damages.stop();
      await background;
    },
  };
}

function isThere({ id, tier }: ModelEntry, folder: string): boolean {
  return tier !== 'bundled' && existsSync(join(folder, id));
}

function chooseAll(needs: readonly ModelNeed[], choose: (need: ModelNeed) => ModelEntry): ChosenModels {
  const bySlot: Record<string, string> = {};
  const missing: EngineError[] = [];
  for (const need of needs) {
    const slot = need.slot ?? need.task;
    const entry = orNone(() => choose(need), need.optional && need.wanted === 'auto' ? [] : missing);
    if (entry) bySlot[slot] = entry.id;
    const twin = need.twin ? entry?.twin : undefined;
    const found = twin === undefined ? null : orNone(() => choose({ task: need.task, wanted: twin }));
    if (found) bySlot[twinOf(slot)] = found.id;
  }
  const [lacking, ...more] = missing;
  // All that has to be pulled is said at once.
  if (lacking && more.length > 0) throw new EngineError(lacking.code, missing.map(({ message }) => message).join('; '));
  if (lacking) throw lacking;
  const [first] = needs;
  return { main: first ? (bySlot[first.slot ?? first.task] ?? null) : null, bySlot };
}

/** Null where there is no such model that can be used, with the reason in `reasons`. */
function orNone(choose: () => ModelEntry, reasons: EngineError[] = []): ModelEntry | null {
  try {
    return choose();
  } catch (error) {
    if (!(error instanceof EngineError) || error.code !== 'model_unavailable') throw error;
    reasons.push(error);
    return null;
  }
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
