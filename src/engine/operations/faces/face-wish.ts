import type { ModelNeed } from '../operation.js';
import type { Workbench } from '../workbench.js';

/** How strongly something is to be done, 0..1, or `auto` to let the picture decide. */
export type Strength = number | 'auto';

/** The models that faces need: for `auto` as far as they are installed, for a strength in any case, none for 0. */
export function faceNeeds(strength: Strength, restorer: string): ModelNeed[] {
  if (strength === 0) return [];
  const optional = strength === 'auto';
  return [
    { task: 'face-detection', wanted: 'auto', optional },
    { task: 'face-restoration', wanted: restorer, param: 'face_model', optional },
  ];
}

/** Which of them is not installed and how to get it, in words; null if both are there. */
export function lackOfFaceModels(bench: Workbench): string | null {
  if (!bench.has('face-detection')) return 'no model that finds faces is installed (npx darkroom models pull yunet)';
  if (bench.has('face-restoration')) return null;
  return 'no model that restores faces is installed (npx darkroom models pull restoreformer-plus-plus)';
}
