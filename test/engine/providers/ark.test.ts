import { describe, expect } from 'vitest';
import { ark } from '#src/engine/providers/ark.js';
import { arkWire, seedreamWire } from '../../fakes/ark.js';
import { providerContract, unknowable } from './provider-contract.js';
import { imageOrder, videoOrder } from './service-bench.js';

const task = { model: 'seedance-1-5-pro-251215', duration: 5, resolution: '720p', watermark: false };

describe('Seedance on Ark', () => {
  providerContract({
    provider: ark,
    wire: arkWire,
    model: 'seedance-i2v',
    order: videoOrder,
    pictures: ['first-frame'],
    lost: unknowable,
    publicBaseUrl: 'http://127.0.0.1:1',
    requests: [
      {
        name: 'from words, with sound and a seed',
        model: 'seedance-t2v',
        order: { ...videoOrder, ratio: '21:9', resolution: '480p', sound: true, seed: 0, cfgScale: 0.5 },
        request: {
          path: '/contents/generations/tasks',
          json: {
            ...task,
            content: [{ type: 'text', text: 'A ring turns on a stone' }],
            ratio: '21:9',
            resolution: '480p',
            seed: 0,
            generate_audio: true,
            callback_url: stringWith('/v1/providers/ark/callbacks/'),
          },
        },
        warnings: ['`cfg_scale` was left out: Seedance has nothing like it'],
      },
      {
        name: 'from the first and the last picture, in the ratio of the first',
        model: 'seedance-i2v',
        order: videoOrder,
        pictures: ['first-frame', 'last-frame'],
        request: {
          json: {
            ...task,
            content: [
              { type: 'text', text: 'A ring turns on a stone' },
              { type: 'image_url', image_url: { url: 'data:image/jpeg;base64,<photo>' }, role: 'first_frame' },
              { type: 'image_url', image_url: { url: 'data:image/jpeg;base64,<photo>' }, role: 'last_frame' },
            ],
            ratio: 'adaptive',
            callback_url: stringWith('/v1/providers/ark/callbacks/'),
          },
        },
      },
    ],
  });
});

describe('Seedream on Ark', () => {
  const common = {
    model: 'seedream-4-5-251128',
    prompt: 'A ring on a stone',
    response_format: 'url',
    watermark: false,
  };
  providerContract({
    provider: ark,
    wire: seedreamWire,
    model: 'seedream-v4.5',
    order: imageOrder,
    isSync: true,
    lost: unknowable,
    requests: [
      {
        name: 'from words, at no less than the pixels it wants',
        model: 'seedream-v4.5',
        order: { ...imageOrder, size: { width: 1024, height: 1024 }, count: 2, seed: 3 },
        request: {
          path: '/images/generations',
          json: {
            ...common,
            size: '1920x1920',
            seed: 3,
            sequential_image_generation: 'auto',
            sequential_image_generation_options: { max_images: 2 },
          },
        },
      },
      {
        name: 'from a picture and another to look at',
        model: 'seedream-v4.5-edit',
        order: imageOrder,
        pictures: ['source', 'reference'],
        request: {
          json: { ...common, size: '2K', image: ['data:image/jpeg;base64,<photo>', 'data:image/jpeg;base64,<photo>'] },
        },
      },
    ],
  });
});

/** Stands for any text with this in it. */
function stringWith(part: string): string {
  return expect.stringContaining(part) as unknown as string;
}
