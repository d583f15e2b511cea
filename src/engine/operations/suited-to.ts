import type { ModelEntry } from '../../models/lockfile.js';
import type { PictureKind } from '../../models/model.js';

/** Whether a model is made for such pictures: why not, or null if it is. */
export function suitedTo(kind: PictureKind): (entry: ModelEntry) => string | null {
  return ({ suits = ['photograph'] }) =>
    suits.includes(kind) ? null : `it is made for ${suits.join(' and ')}, not for ${kind}`;
}
