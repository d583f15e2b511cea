import { type LoadedModel, type LoadOptions, loadMixture, loadModel as loadEntry } from '../models/load.js';
import { type ModelEntry, readLockfile } from '../models/lockfile.js';
import { lockfilePath } from '../models/weights.js';
import { EngineError } from './errors.js';
import { readModelKey } from './model-key.js';

/** Loads the model of this key (see `modelKey`) in the calling thread. Errors: `model_unavailable`, `out_of_memory`. */
export type ModelLoader = (key: string, options: LoadOptions) => Promise<LoadedModel>;

/** The models of the lock file. */
export const loadModel: ModelLoader = async (key, options) => {
  const { id, twin, isOnCpu } = readModelKey(key);
  const where: LoadOptions = isOnCpu ? { ...options, device: 'cpu' } : options;
  if (!twin) return loadEntry(findEntry(id), where);
  return loadMixture(findEntry(id), { twin: findEntry(twin.id), share: twin.share }, where);
};

function findEntry(id: string): ModelEntry {
  const entry = readLockfile(lockfilePath).models.find((model) => model.id === id);
  if (entry) return entry;
  throw new EngineError('model_unavailable', `Model "${id}" is not in the lock file`);
}
