import { describe, expect, it } from 'vitest';
import { gemini } from '#src/engine/providers/gemini.js';
import { omniWire, veoWire } from '../../fakes/gemini.js';
import { fakeKey } from '../../fakes/wire.js';
import { providerContract, unknowable } from './provider-contract.js';
import { serviceBench, videoOrder } from './service-bench.js';

const vague = 'Gemini Omni has no parameters for `duration` and `aspect_ratio`: they were put into the prompt';
const headers = { 'x-goog-api-key': fakeKey, 'api-revision': '2026-05-20' };

describe('Gemini Omni', () => {
  const model = 'gemini-omni-1.1-flash';
  const text = 'A ring turns on a stone\n(5 seconds, no sound)';
  providerContract({
    provider: gemini,
    wire: omniWire,
    model: `${model}-t2v`,
    order: videoOrder,
    lost: unknowable,
    lateCapacity: 'transient',
    isInline: true,
    requests: [
      {
        name: 'from words',
        model: `${model}-t2v`,
        order: { ...videoOrder, ratio: '9:16', sound: true },
        request: {
          path: '/interactions',
          headers,
          json: { model, input: 'A ring turns on a stone\n(5 seconds, 9:16)', background: true },
        },
        warnings: [vague],
      },
      {
        name: 'from a picture',
        model: `${model}-i2v`,
        order: videoOrder,
        pictures: ['first-frame'],
        request: {
          json: {
            model,
            input: [
              { type: 'text', text },
              { type: 'image', data: '<photo>', mime_type: 'image/jpeg' },
            ],
            background: true,
          },
        },
        warnings: [vague],
      },
    ],
  });

  it('fetches a clip that is too large for an answer with the key, and does not take the key along to where it leads', async () => {
    const bench = await serviceBench({ provider: gemini, wire: omniWire });
    const { outputs } = await bench.run(`${model}-t2v`, { ...videoOrder, prompt: 'large' }).made;
    expect(outputs).toMatchObject([{ format: 'mp4' }]);
    expect(bench.fake.resultKeys).toEqual([null]);
  });
});

describe('Veo on Gemini', () => {
  const image = { bytesBase64Encoded: '<photo>', mimeType: 'image/jpeg' };
  providerContract({
    provider: gemini,
    wire: veoWire,
    cannotCancel: true,
    model: 'veo-3.1-t2v',
    order: { ...videoOrder, duration: 4 },
    lost: unknowable,
    requests: [
      {
        name: 'from words and a picture to look at',
        model: 'veo-3.1-t2v',
        order: { ...videoOrder, duration: 8, ratio: '9:16', seed: 3, negativePrompt: 'blur' },
        pictures: ['reference'],
        request: {
          path: '/models/veo-3.1-generate-preview:predictLongRunning',
          headers,
          json: {
            instances: [{ prompt: 'A ring turns on a stone', referenceImages: [{ image, referenceType: 'asset' }] }],
            parameters: {
              aspectRatio: '9:16',
              resolution: '720p',
              durationSeconds: 8,
              sampleCount: 1,
              seed: 3,
              negativePrompt: 'blur',
            },
          },
        },
      },
      {
        name: 'from the first and the last picture, as bytes',
        model: 'veo-3.1-i2v',
        order: { ...videoOrder, duration: 6 },
        pictures: ['first-frame', 'last-frame'],
        request: {
          json: {
            instances: [{ prompt: 'A ring turns on a stone', image, lastFrame: image }],
            parameters: { aspectRatio: '16:9', resolution: '720p', durationSeconds: 6, sampleCount: 1 },
          },
        },
      },
    ],
  });
});
