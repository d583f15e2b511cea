import { describe, expect, it } from 'vitest';
import { kling } from '#src/engine/providers/kling.js';
import type { ModelRow } from '#src/engine/providers/provider.js';
import { accessKey, klingWire, secretKey } from '../../fakes/kling.js';
import { fakeKey } from '../../fakes/wire.js';
import { callbackContract } from './callback-contract.js';
import { providerContract } from './provider-contract.js';
import { serviceBench, videoOrder } from './service-bench.js';

const v1 = { sound: 'off', watermark_info: { enabled: false }, mode: 'std', duration: '5' };

/** The generation with a path for each model, as its owner would configure it. */
const v3Rows: ModelRow[] = kling.rows
  .filter(({ upstream }) => upstream === 'kling-v3')
  .map((row) => ({ ...row, upstream: 'kling-3.0', options: { generation: 'v3' } }));
const found = {
  'lost with a 500': 'found',
  'lost with the connection': 'found',
  'answer in another shape': 'found',
} as const;

describe('Kling, the older generation', () => {
  providerContract({
    provider: kling,
    wire: klingWire,
    model: 'kling-v3-t2v',
    order: videoOrder,
    lost: found,
    cannotCancel: true,
    requests: [
      {
        name: 'from words',
        model: 'kling-v3-t2v',
        order: { ...videoOrder, ratio: '9:16', resolution: '1080p', negativePrompt: 'blur', seed: 7, sound: true },
        request: {
          path: '/v1/videos/text2video',
          headers: { authorization: `Bearer ${fakeKey}`, 'content-type': 'application/json' },
          json: {
            ...v1,
            model_name: 'kling-v3',
            prompt: 'A ring turns on a stone',
            negative_prompt: 'blur',
            mode: 'pro',
            sound: 'on',
            aspect_ratio: '9:16',
            external_task_id: expect.stringMatching(/^vgen_\d+-1$/),
          },
        },
        warnings: ['`seed` was left out: Kling has nothing like it'],
      },
      {
        name: 'from the first and the last picture, as bare base64',
        model: 'kling-v3-i2v',
        order: { ...videoOrder, ratio: '16:9' },
        pictures: ['first-frame', 'last-frame'],
        request: {
          path: '/v1/videos/image2video',
          json: {
            ...v1,
            model_name: 'kling-v3',
            prompt: 'A ring turns on a stone',
            image: '<photo>',
            image_tail: '<photo>',
            external_task_id: expect.any(String),
          },
        },
        warnings: ['`aspect_ratio` was left out: Kling follows the picture'],
      },
      {
        name: 'in shots, for the omni model, with a picture to look at',
        model: 'kling-o3-pro-i2v',
        order: { ...videoOrder, duration: 10, shots: ['A ring turns on a stone', 'Closer', 'From above'] },
        pictures: ['first-frame', 'reference'],
        request: {
          path: '/v1/videos/omni-video',
          json: {
            ...v1,
            model_name: 'kling-v3-omni',
            prompt: 'A ring turns on a stone',
            mode: 'pro',
            duration: '10',
            image_list: [{ image_url: '<photo>', type: 'first_frame' }, { image_url: '<photo>' }],
            multi_shot: true,
            shot_type: 'customize',
            multi_prompt: [
              { index: 1, prompt: 'A ring turns on a stone', duration: '3' },
              { index: 2, prompt: 'Closer', duration: '3' },
              { index: 3, prompt: 'From above', duration: '4' },
            ],
            external_task_id: expect.any(String),
          },
        },
      },
    ],
  });

  it('signs a token that a service whose clock is four seconds slow takes', async () => {
    const credentials = [{ name: 'pair', key: '', accessKey, secretKey }];
    const bench = await serviceBench({ provider: kling, wire: klingWire, credentials, fake: { skewMs: -4_000 } });
    expect((await bench.run('kling-v3-t2v', videoOrder).made).outputs).toHaveLength(1);
  });

  it('says that the clocks differ too much as a matter of settings', async () => {
    const credentials = [{ name: 'pair', key: '', accessKey, secretKey }];
    const bench = await serviceBench({ provider: kling, wire: klingWire, credentials, fake: { skewMs: -60_000 } });
    await expect(bench.run('kling-v3-t2v', videoOrder).made).rejects.toMatchObject({ kind: 'auth' });
  });

  it('is sent again when the submission is proven not to have arrived', async () => {
    const bench = await serviceBench({ provider: kling, wire: klingWire });
    bench.fake.faults.push({ status: 502 });
    const running = bench.run('kling-v3-t2v', videoOrder);
    await expect(running.made).rejects.toMatchObject({ kind: 'transient' });
    expect((await running.record).routing.calls).toMatchObject([{ state: 'absent' }]);
  });
});

describe('Kling, the newer generation', () => {
  const settings = { resolution: '720p', duration: 5 };
  const options = { external_task_id: expect.any(String), watermark_info: { enabled: false } };
  providerContract({
    provider: { ...kling, rows: v3Rows },
    wire: klingWire,
    model: 'kling-v3-i2v',
    order: videoOrder,
    pictures: ['first-frame'],
    lost: found,
    cannotCancel: true,
    requests: [
      {
        name: 'from words',
        model: 'kling-v3-t2v',
        order: { ...videoOrder, ratio: '1:1' },
        request: {
          path: '/text-to-video/kling-3.0',
          json: { prompt: 'A ring turns on a stone', settings: { ...settings, aspect_ratio: '1:1' }, options },
        },
      },
      {
        name: 'from a picture',
        model: 'kling-v3-i2v',
        order: videoOrder,
        pictures: ['first-frame'],
        request: {
          path: '/image-to-video/kling-3.0',
          json: {
            contents: [
              { type: 'prompt', text: 'A ring turns on a stone' },
              { type: 'first_frame', url: '<photo>' },
            ],
            settings,
            options,
          },
        },
      },
    ],
  });
});

describe('Kling', () => {
  callbackContract({ provider: kling, wire: klingWire, model: 'kling-v3-t2v' });
});
