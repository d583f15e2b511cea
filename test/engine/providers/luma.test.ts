import { describe, expect, it } from 'vitest';
import { luma } from '#src/engine/providers/luma.js';
import { lumaWire } from '../../fakes/luma.js';
import { providerContract, unknowable } from './provider-contract.js';
import { serviceBench, videoOrder } from './service-bench.js';

describe('Luma', () => {
  providerContract({
    provider: luma,
    wire: lumaWire,
    model: 'ray-2-t2v',
    order: videoOrder,
    lost: unknowable,
    publicBaseUrl: 'https://media.example.com',
    requests: [
      {
        name: 'from words',
        model: 'ray-flash-2-t2v',
        order: { ...videoOrder, duration: 9, resolution: '1080p' },
        request: {
          path: '/generations/video',
          json: {
            model: 'ray-flash-2',
            prompt: 'A ring turns on a stone',
            aspect_ratio: '16:9',
            duration: '9s',
            resolution: '1080p',
            callback_url: expect.stringContaining('https://media.example.com/v1/providers/luma/callbacks/vgen_'),
          },
        },
      },
      {
        name: 'from a picture, by an address under which we serve it',
        model: 'ray-2-i2v',
        order: videoOrder,
        pictures: ['first-frame'],
        request: {
          json: {
            model: 'ray-2',
            prompt: 'A ring turns on a stone',
            duration: '5s',
            resolution: '720p',
            keyframes: {
              frame0: {
                type: 'image',
                url: expect.stringMatching(/^https:\/\/media\.example\.com\/output\/\w+\.jpeg$/),
              },
            },
            callback_url: expect.any(String),
          },
        },
      },
    ],
  });

  it('can do nothing with a picture while nobody can reach us', async () => {
    const bench = await serviceBench({ provider: luma, wire: lumaWire });
    expect(bench.backend('ray-2-t2v').problem).toBeNull();
    expect(bench.backend('ray-2-i2v').problem).toMatch(/PUBLIC_BASE_URL/);
  });
});
