import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ModelEntry, WeightFile } from '../../models/lockfile.js';
import { checkNetwork } from '../../models/files/network.js';
import { EngineError } from '../errors.js';

/**
 * Looks into the files of a model that no digest vouches for alone: networks must be what the entry says, JSON must be JSON.
 * A file that is not goes away, so that it is not taken for a finished one later. Errors: `model_unavailable`.
 */
export async function checkFiles(entry: ModelEntry, folder: string): Promise<void> {
  for (const file of entry.files) {
    const path = join(folder, file.name);
    try {
      await checkFile(entry, file, path);
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    }
  }
}

/** Errors: `model_unavailable` for a network that its entry does not describe, and for JSON that is none. */
export async function checkFile(entry: ModelEntry, file: WeightFile, path: string): Promise<void> {
  const { inputs, outputs } = file.part === undefined ? entry : file;
  if (file.name.endsWith('.onnx')) checkNetwork(await readFile(path), entry, { inputs, outputs });
  else if (file.name.endsWith('.json')) checkJson(entry, file, await readFile(path, 'utf8'));
}

function checkJson({ id }: ModelEntry, { name }: WeightFile, text: string): void {
  try {
    JSON.parse(text);
  } catch (error) {
    throw new EngineError('model_unavailable', `Model "${id}" is refused: ${name} is no JSON; fetch it anew`, {
      cause: error,
    });
  }
}
