import { describe } from 'vitest';
import { runway } from '#src/engine/providers/runway.js';
import { runwayWire } from '../../fakes/runway.js';
import { providerContract, unknowable } from './provider-contract.js';
import { videoOrder } from './service-bench.js';

describe('Runway', () => {
  providerContract({
    provider: runway,
    wire: runwayWire,
    model: 'gen4.5-i2v',
    order: videoOrder,
    pictures: ['first-frame'],
    lost: unknowable,
    refusals: { content: 'invalid' },
    lateCapacity: 'transient',
    requests: [
      {
        name: 'from words, on the path for words',
        model: 'gen4.5-t2v',
        order: { ...videoOrder, ratio: '9:16', seed: 9, prompt: 'x'.repeat(1_001) },
        request: {
          path: '/v1/text_to_video',
          headers: { 'x-runway-version': '2024-11-06' },
          json: { model: 'gen4.5', promptText: 'x'.repeat(1_000), ratio: '720:1280', duration: 5, seed: 9 },
        },
        warnings: ['`prompt` was cut after 1000 characters, which is all that Runway takes'],
      },
      {
        name: 'from a picture, on the path for pictures',
        model: 'gen4_turbo-i2v',
        order: { ...videoOrder, ratio: '21:9', camera: { zoom: 5 } },
        pictures: ['first-frame'],
        request: {
          path: '/v1/image_to_video',
          json: {
            model: 'gen4_turbo',
            promptText: 'A ring turns on a stone',
            promptImage: 'data:image/jpeg;base64,<photo>',
            ratio: '1584:672',
            duration: 5,
          },
        },
        warnings: ['`zoom` was left out: Runway has nothing like it'],
      },
    ],
  });
});
