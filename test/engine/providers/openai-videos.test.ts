import { describe } from 'vitest';
import { openaiVideos } from '#src/engine/providers/openai-videos.js';
import type { ModelRow } from '#src/engine/providers/provider.js';
import { openaiVideosWire } from '../../fakes/openai.js';
import { providerContract, unknowable } from './provider-contract.js';
import { videoOrder } from './service-bench.js';

/** As its owner would configure it: the gateway's models are his. */
const rows: ModelRow[] = [
  {
    operation: 'video-generation',
    model: 'wan-2.6',
    names: [],
    upstream: 'wan2.6',
    capabilities: { input: ['text', 'image'] },
    price: 20,
  },
];

describe('a gateway in the shape of the videos API', () => {
  providerContract({
    provider: { ...openaiVideos, rows },
    wire: openaiVideosWire,
    model: 'wan-2.6',
    order: videoOrder,
    lost: unknowable,
    requests: [
      {
        name: 'from words, as JSON',
        model: 'wan-2.6',
        order: { ...videoOrder, duration: 8, ratio: '9:16', seed: 1 },
        request: {
          path: '/videos',
          json: { model: 'wan2.6', prompt: 'A ring turns on a stone', seconds: '8', size: '720x1280' },
        },
        warnings: ['`seed` was left out: the video gateway has nothing like it'],
      },
      {
        name: 'from a picture, as a form',
        model: 'wan-2.6',
        order: { ...videoOrder, resolution: '1080p' },
        pictures: ['first-frame'],
        request: {
          path: '/videos',
          form: {
            model: 'wan2.6',
            prompt: 'A ring turns on a stone',
            seconds: '5',
            size: '1920x1080',
            input_reference: 'first-frame.jpg image/jpeg 18282',
          },
        },
      },
    ],
  });
});
