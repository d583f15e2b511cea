import { blindConstants, blindRestorer } from './nets/blind-restorer.js';
import { planes } from './family-tensors.js';
import type { ModelFamily } from './model.js';

/** NAFNet (arXiv 2204.04676), which halves a tile four times, and other nets of its tensors that mend what they see. */
export const nafnet: ModelFamily = {
  name: 'nafnet',
  task: 'image-restoration',
  constants: blindConstants,
  takes: [planes(3)],
  gives: [planes(3)],
  wrap: blindRestorer,
};
