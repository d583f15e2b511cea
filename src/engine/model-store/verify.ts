import { realpath } from 'node:fs/promises';
import { familyProblem } from '../../models/index.js';
import type { ModelEntry } from '../../models/lockfile.js';
import { checkNetwork } from '../../models/files/network.js';
import { readVerified, weightPath } from '../../models/files/weights.js';
import { EngineError } from '../errors.js';

/** Whether the files of a model are those of its entry. */
export interface Verdict {
  id: string;
  state: 'good' | 'damaged' | 'absent';
  /** What is wrong and what helps; null if nothing is. */
  problem: string | null;
}

/** Reads all files of a model, compares their digests, and looks into its networks: everything that is done before a load, but the load. */
export async function verifyModel(entry: ModelEntry, folder: string): Promise<Verdict> {
  const { id } = entry;
  try {
    for (const file of entry.files) {
      const bytes = await readVerified(entry, file, folder);
      const { inputs, outputs } = file.part === undefined ? entry : file;
      if (file.name.endsWith('.onnx')) checkNetwork(bytes, entry, { inputs, outputs });
    }
    return { id, state: 'good', problem: familyProblem(entry) };
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    return { id, state: (await isThere(entry, folder)) ? 'damaged' : 'absent', problem: error.message };
  }
}

async function isThere(entry: ModelEntry, folder: string): Promise<boolean> {
  const [first] = entry.files;
  if (!first) return false;
  return realpath(weightPath(entry, first, folder)).then(
    () => true,
    () => false,
  );
}
