import { describe } from 'vitest';
import { openaiImages } from '#src/engine/providers/openai-images.js';
import type { ModelRow } from '#src/engine/providers/provider.js';
import { openaiImagesWire } from '../../fakes/openai.js';
import { failuresAreFree, providerContract } from './provider-contract.js';
import { imageOrder } from './service-bench.js';

const common = { names: ['dall-e-3'], upstream: 'gpt-image-2.5-flare', price: 2 };
const rows: ModelRow[] = [
  { ...common, operation: 'image-generation', model: 'flare', capabilities: { input: ['text'] } },
  { ...common, operation: 'image-edit', model: 'flare-edit', capabilities: { input: ['image', 'mask'] } },
];

describe('an images API in the shape of OpenAI’s', () => {
  providerContract({
    provider: { ...openaiImages, rows },
    wire: openaiImagesWire,
    model: 'flare',
    order: imageOrder,
    isSync: true,
    isInline: true,
    lost: failuresAreFree,
    requests: [
      {
        name: 'from words',
        model: 'flare',
        order: { ...imageOrder, isTransparent: true, size: { width: 1536, height: 1024 }, quality: 'hd', count: 2 },
        request: {
          path: '/images/generations',
          json: {
            model: 'gpt-image-2.5-flare',
            prompt: 'A ring on a stone',
            n: 2,
            size: '1536x1024',
            quality: 'high',
            background: 'transparent',
            output_format: 'png',
          },
        },
      },
      {
        name: 'of a part of a picture',
        model: 'flare-edit',
        order: { ...imageOrder, format: 'jpg', seed: 3 },
        pictures: ['source', 'mask'],
        request: {
          path: '/images/edits',
          form: {
            model: 'gpt-image-2.5-flare',
            prompt: 'A ring on a stone',
            n: '1',
            size: 'auto',
            output_format: 'jpeg',
            'image[]': 'source.jpg image/jpeg 18282',
            mask: 'mask.jpg image/jpeg 18282',
          },
        },
        warnings: ['`seed` was left out: the images API has nothing like it'],
      },
    ],
  });
});
