import { alignedFace } from './aligned-face.js';
import { cutout } from './cutout.js';
import { ddcolor } from './ddcolor.js';
import { depthAnything } from './depth-anything.js';
import { tensorsProblem } from './family-tensors.js';
import { inpainter } from './inpainter.js';
import { kokoro } from './kokoro.js';
import { lama } from './lama.js';
import { constantsProblem, type ModelEntry } from './lockfile.js';
import { migan } from './migan.js';
import type { ModelFamily } from './model.js';
import { modnet } from './modnet.js';
import { nafnet } from './nafnet.js';
import { unfit } from './files/parts.js';
import { piper } from './piper.js';
import { restorer } from './restorer.js';
import { rrdbnet } from './rrdbnet.js';
import { birefnet, saliency } from './saliency.js';
import { scunet } from './scunet.js';
import { sdTurbo } from './sd-turbo.js';
import { srvgg } from './srvgg.js';
import { swinir } from './swinir.js';
import { upscaler } from './upscaler.js';
import { yunet } from './yunet.js';

/** Every family of weights that can be run. */
export const families: readonly ModelFamily[] = [
  cutout,
  saliency,
  birefnet,
  modnet,
  upscaler,
  srvgg,
  rrdbnet,
  swinir,
  inpainter,
  lama,
  migan,
  restorer,
  scunet,
  nafnet,
  depthAnything,
  kokoro,
  piper,
  sdTurbo,
  yunet,
  alignedFace,
  ddcolor,
];

/** The family of an entry. Errors: `model_unavailable` with its `familyProblem`. */
export function familyOf(entry: ModelEntry): ModelFamily {
  const found = findFamily(entry);
  const problem = familyProblem(entry);
  if (!found || problem !== null) throw unfit(entry, problem ?? 'there is none');
  return found;
}

/** Why no family here can run a model with this entry: there is none for its task, or it needs other constants or tensors; null if one can. */
export function familyProblem(entry: ModelEntry): string | null {
  const found = findFamily(entry);
  if (found) return constantsProblem(entry, found.constants) ?? tensorsProblem(found, entry);
  const known = families.filter(({ task }) => task === entry.task).map(({ name }) => name);
  return `expected a family for ${entry.task} (${known.join(', ') || 'this version has none yet'}), got "${entry.family}"`;
}

function findFamily({ family, task }: ModelEntry): ModelFamily | undefined {
  return families.find((candidate) => candidate.name === family && candidate.task === task);
}
