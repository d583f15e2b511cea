import { blindConstants, blindRestorer } from './nets/blind-restorer.js';
import { planes } from './family-tensors.js';
import type { ModelFamily } from './model.js';

/** SCUNet for real pictures (arXiv 2203.13278): noise and compression of any kind; it halves windows of 8 three times. */
export const scunet: ModelFamily = {
  name: 'scunet',
  task: 'image-restoration',
  constants: blindConstants,
  takes: [planes(3)],
  gives: [planes(3)],
  wrap: blindRestorer,
};
