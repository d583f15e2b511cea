import { describe, expect, it } from 'vitest';
import { fal } from '#src/engine/providers/fal.js';
import { falWire, jwks } from '../../fakes/fal.js';
import { fakeKey } from '../../fakes/wire.js';
import { callbackContract } from './callback-contract.js';
import { failuresAreFree, providerContract } from './provider-contract.js';
import { serviceBench, videoOrder } from './service-bench.js';

describe('fal', () => {
  providerContract({
    provider: fal,
    wire: falWire,
    model: 'kling-o3-pro-t2v',
    order: videoOrder,
    lost: failuresAreFree,
    lateCapacity: 'transient',
    requests: [
      {
        name: 'from words, in shots',
        model: 'kling-v3-t2v',
        order: { ...videoOrder, shots: ['Wide', 'Close'], ratio: '9:16', negativePrompt: 'blur' },
        request: {
          path: '/fal-ai/kling-video/v3/pro/text-to-video',
          query: {},
          headers: { authorization: `Key ${fakeKey}`, 'x-fal-no-retry': '1' },
          json: {
            multi_prompt: [
              { prompt: 'Wide', duration: '2' },
              { prompt: 'Close', duration: '3' },
            ],
            duration: '5',
            aspect_ratio: '9:16',
            generate_audio: false,
          },
        },
        warnings: ['`negative_prompt` was left out: this model on fal has nothing like it'],
      },
      {
        name: 'from a picture, under the name that the model has for it',
        model: 'kling-v3-i2v',
        order: videoOrder,
        pictures: ['first-frame'],
        request: {
          path: '/fal-ai/kling-video/v3/pro/image-to-video',
          json: {
            prompt: 'A ring turns on a stone',
            start_image_url: 'data:image/jpeg;base64,<photo>',
            duration: '5',
            generate_audio: false,
          },
        },
      },
      {
        name: 'to a model that takes a seed and a resolution',
        model: 'seedance-i2v',
        order: { ...videoOrder, seed: 7, resolution: '480p', sound: true },
        pictures: ['first-frame'],
        request: {
          path: '/fal-ai/bytedance/seedance/v1.5/pro/image-to-video',
          json: {
            prompt: 'A ring turns on a stone',
            image_url: 'data:image/jpeg;base64,<photo>',
            duration: '5',
            resolution: '480p',
            seed: 7,
            generate_audio: true,
          },
        },
      },
    ],
  });

  it('is asked by the addresses that it named, and by none of another origin', async () => {
    const bench = await serviceBench({ provider: fal, wire: falWire });
    await bench.run('kling-o3-pro-t2v', videoOrder).made;
    const asked = bench.fake.received.map(({ path }) => path);
    expect(asked).toContain('/fal-ai/kling-video/requests/fal-job-1/status');
    const elsewhere = {
      ...falWire,
      accepted: () => ({
        status: 200,
        json: {
          request_id: 'x',
          status_url: 'http://127.0.0.1:9/status',
          response_url: 'http://127.0.0.1:9/',
          cancel_url: 'http://127.0.0.1:9/',
        },
      }),
    };
    const led = await serviceBench({ provider: fal, wire: elsewhere });
    await expect(led.run('kling-o3-pro-t2v', videoOrder, { deadlineMs: 50 }).made).rejects.toMatchObject({
      kind: 'stuck',
    });
    expect(led.fake.received).toHaveLength(1);
  });

  callbackContract({ provider: fal, wire: falWire, model: 'kling-o3-pro-t2v', fetchJson: async () => jwks });
});
