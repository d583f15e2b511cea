import { EngineError } from '../engine/errors.js';
import { cutout } from './cutout.js';
import { inpainter } from './inpainter.js';
import { type ModelEntry, readConstants } from './lockfile.js';
import type { ModelFamily } from './model.js';
import { saliency } from './saliency.js';
import { srvgg } from './srvgg.js';
import { upscaler } from './upscaler.js';

/** Every family of weights that can be run. */
export const families: readonly ModelFamily[] = [cutout, saliency, upscaler, srvgg, inpainter];

/**
 * The family of an entry, which takes its constants. Errors: `model_unavailable` if there is none for its task, or if the
 * constants are not those of the family.
 */
export function familyOf(entry: ModelEntry): ModelFamily {
  const { id, family, task } = entry;
  const found = families.find((candidate) => candidate.name === family && candidate.task === task);
  if (!found) {
    const known = families.filter((candidate) => candidate.task === task).map(({ name }) => name);
    const expected = known.length > 0 ? known.join(', ') : 'none yet';
    throw new EngineError(
      'model_unavailable',
      `Model "${id}": expected a family for ${task} (${expected}), got "${family}"`,
    );
  }
  if (found.constants) readConstants(entry, found.constants);
  return found;
}
