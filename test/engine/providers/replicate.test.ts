import { describe } from 'vitest';
import { replicate } from '#src/engine/providers/replicate.js';
import { replicateWire } from '../../fakes/replicate.js';
import { callbackContract } from './callback-contract.js';
import { providerContract, unknowable } from './provider-contract.js';
import { videoOrder } from './service-bench.js';

describe('Replicate', () => {
  providerContract({
    provider: replicate,
    wire: replicateWire,
    model: 'seedance-1.0-pro-t2v',
    order: videoOrder,
    lost: unknowable,
    // It refuses content only as a prediction that fails.
    refusals: { content: null },
    requests: [
      {
        name: 'from words',
        model: 'seedance-1.0-pro-t2v',
        order: { ...videoOrder, ratio: '3:4', seed: 1, sound: false },
        request: {
          path: '/models/bytedance/seedance-1-pro/predictions',
          headers: { 'cancel-after': '15m' },
          json: {
            input: {
              prompt: 'A ring turns on a stone',
              duration: 5,
              resolution: '720p',
              aspect_ratio: '3:4',
              seed: 1,
            },
          },
        },
      },
      {
        name: 'from a picture',
        model: 'seedance-1.0-pro-i2v',
        order: { ...videoOrder, negativePrompt: 'blur' },
        pictures: ['first-frame', 'last-frame'],
        request: {
          json: {
            input: {
              prompt: 'A ring turns on a stone',
              image: 'data:image/jpeg;base64,<photo>',
              last_frame_image: 'data:image/jpeg;base64,<photo>',
              duration: 5,
              resolution: '720p',
            },
          },
        },
        warnings: ['`negative_prompt` was left out: this model on Replicate has nothing like it'],
      },
    ],
  });

  callbackContract({ provider: replicate, wire: replicateWire, model: 'seedance-1.0-pro-t2v' });
});
