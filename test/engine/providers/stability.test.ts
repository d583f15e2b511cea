import { describe, expect, it } from 'vitest';
import { stability } from '#src/engine/providers/stability.js';
import { stabilityWire } from '../../fakes/stability.js';
import { failuresAreFree, providerContract } from './provider-contract.js';
import { imageOrder, serviceBench } from './service-bench.js';

describe('Stability', () => {
  providerContract({
    provider: stability,
    wire: stabilityWire,
    model: 'stable-image-core',
    order: imageOrder,
    isSync: true,
    isInline: true,
    lost: failuresAreFree,
    requests: [
      {
        name: 'from words, in the nearest ratio',
        model: 'stable-diffusion-3',
        order: { ...imageOrder, size: { width: 1792, height: 1024 }, negativePrompt: 'blur', seed: 4, quality: 'hd' },
        request: {
          path: '/v2beta/stable-image/generate/sd3',
          headers: { accept: 'application/json' },
          form: {
            prompt: 'A ring on a stone',
            negative_prompt: 'blur',
            aspect_ratio: '16:9',
            seed: '4',
            output_format: 'png',
            model: 'sd3.5-large',
          },
        },
        warnings: ['`size` became the nearest ratio, 16:9', '`quality` was left out: Stability has nothing like it'],
      },
      {
        name: 'of a part of a picture',
        model: 'stable-image-inpaint',
        order: imageOrder,
        pictures: ['source', 'mask'],
        request: {
          path: '/v2beta/stable-image/edit/inpaint',
          form: {
            prompt: 'A ring on a stone',
            output_format: 'png',
            image: 'source.jpg image/jpeg 18282',
            mask: 'mask.jpg image/jpeg 18282',
          },
        },
      },
    ],
  });

  it('does not pass on a result that it has filtered', async () => {
    const bench = await serviceBench({ provider: stability, wire: stabilityWire });
    bench.fake.faults.push({ end: 'content' });
    await expect(bench.run('stable-image-core', imageOrder).made).rejects.toMatchObject({ kind: 'content' });
  });
});
