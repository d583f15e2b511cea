import { type LoadedModel, type LoadOptions, loadModel as loadEntry } from '../models/index.js';
import { readLockfile } from '../models/lockfile.js';
import { lockfilePath } from '../models/weights.js';
import { EngineError } from './errors.js';

/** Loads the model of this id in the calling thread. Errors: `model_unavailable`, `out_of_memory`. */
export type ModelLoader = (id: string, options: LoadOptions) => Promise<LoadedModel>;

/** The models of the lock file. */
export const loadModel: ModelLoader = async (id, options) => {
  const entry = readLockfile(lockfilePath).models.find((model) => model.id === id);
  if (!entry) throw new EngineError('model_unavailable', `Model "${id}" is not in the lock file`);
  return loadEntry(entry, options);
};
