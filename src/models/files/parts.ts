import { EngineError } from '../../engine/errors.js';
import type { ModelEntry, WeightFile } from '../lockfile.js';
import type { ModelParts } from '../model.js';
import type { ModelSession } from '../session.js';

/** A file of a model in memory. */
export interface OpenedPart {
  file: WeightFile;
  bytes: Uint8Array;
  /** Null for a file that is no network. */
  session: ModelSession | null;
}

/** The opened files of a model as its family asks for them. */
export function partsOf(entry: ModelEntry, opened: readonly OpenedPart[]): ModelParts {
  const find = (part: string): OpenedPart => {
    const found = opened.find(({ file }) => file.part === part);
    if (found) return found;
    throw unfit(entry, `it needs a file with part "${part}", and its entry lists none`);
  };
  return {
    session: (part) => {
      const { session, file } = find(part);
      if (session) return session;
      throw unfit(entry, `its part "${part}" must be a network (.onnx), and is ${file.name}`);
    },
    bytes: (part) => find(part).bytes,
  };
}

/** The error for an entry that its family can't use. */
export function unfit({ id, family }: ModelEntry, reason: string): EngineError {
  return new EngineError('model_unavailable', `Model "${id}" of family "${family}": ${reason}`);
}
