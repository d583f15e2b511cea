import { type LoadedModel, type LoadOptions, loadMixture, loadModel as loadEntry } from '../../models/load.js';
import { type ModelEntry, readLockfile } from '../../models/lockfile.js';
import { lockfilePath } from '../../models/files/weights.js';
import { EngineError } from '../errors.js';
import { readModelKey } from './model-key.js';
import { readCatalogue } from '../model-store/catalogue.js';

/** Loads the model of this key (see `modelKey`) in the calling thread. Errors: `model_unavailable`, `out_of_memory`. */
export type ModelLoader = (key: string, options: LoadOptions) => Promise<LoadedModel>;

/** The models of the program and of the data folder. */
export const loadModel: ModelLoader = async (key, options) => {
  const { id, twin, isOnCpu } = readModelKey(key);
  const where: LoadOptions = isOnCpu ? { ...options, device: 'cpu' } : options;
  const { lock, broken } = readCatalogue(options.folder, readLockfile(lockfilePath));
  const find = (wanted: string): ModelEntry => {
    const entry = lock.models.find((model) => model.id === wanted);
    if (entry) return entry;
    const reason = broken.find((each) => each.id === wanted)?.problem ?? `There is no model "${wanted}"`;
    throw new EngineError('model_unavailable', reason);
  };
  if (!twin) return loadEntry(find(id), where);
  return loadMixture(find(id), { twin: find(twin.id), share: twin.share }, where);
};
