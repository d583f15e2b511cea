import { describe, expect, it } from 'vitest';
import { type ImageOrder, needsOf, type VideoOrder } from '#src/engine/routing/order.js';

const video: VideoOrder = {
  kind: 'video',
  prompt: 'A ring on a stone',
  negativePrompt: null,
  duration: 5,
  ratio: null,
  resolution: '720p',
  shots: [],
  isDirected: false,
  sound: false,
  camera: null,
  seed: null,
  cfgScale: null,
  localOnly: [],
  pictures: [],
};

const image: ImageOrder = {
  kind: 'image',
  prompt: 'A ring on a stone',
  negativePrompt: null,
  size: null,
  count: 1,
  quality: null,
  isTransparent: false,
  format: 'png',
  seed: null,
  pictures: [],
};

describe('needsOf', () => {
  it('names only what was asked for', () => {
    expect(needsOf(video)).toEqual({ input: 'text', duration: 5, resolution: '720p' });
    expect(needsOf(image)).toEqual({ input: 'text' });
  });

  it('names everything that a service may lack, by its param', () => {
    const pictures: VideoOrder['pictures'] = [
      { role: 'first-frame', input: 0 },
      { role: 'last-frame', input: 1 },
      { role: 'reference', input: 2 },
      { role: 'reference', input: 3 },
    ];
    const order = { ...video, ratio: '21:9', shots: ['one', 'two'], isDirected: true, sound: true, pictures };
    expect(needsOf(order)).toEqual({
      input: 'image',
      duration: 5,
      resolution: '720p',
      aspect_ratio: '21:9',
      multi_shot_prompts: 2,
      ai_director_mode: true,
      multi_shot_duration: 5,
      sound: true,
      last_frame: 1,
      references: 2,
    });
  });

  it('tells changing a picture from changing a part of it', () => {
    const source: ImageOrder['pictures'] = [{ role: 'source', input: 0 }];
    expect(needsOf({ ...image, pictures: source })).toEqual({ input: 'image' });
    expect(
      needsOf({
        ...image,
        size: { width: 1536, height: 1024 },
        count: 2,
        isTransparent: true,
        pictures: [...source, { role: 'mask', input: 1 }],
      }),
    ).toEqual({ input: 'mask', size: '1536x1024', n: 2, background: 'transparent' });
  });
});
