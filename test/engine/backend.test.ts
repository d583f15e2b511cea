import { describe, expect, it } from 'vitest';
import { misfit } from '#src/engine/backend.js';

const capabilities = { input: ['text'], duration: { min: 3, max: 10 }, aspect_ratio: ['16:9', '9:16'] };

describe('misfit', () => {
  it('is null for needs that are all covered', () => {
    expect(misfit(capabilities, { input: 'text', duration: 10, aspect_ratio: '9:16' })).toBeNull();
    expect(misfit(capabilities, {})).toBeNull();
  });

  it.each([
    [{ input: 'image' }, '`input` is image, and it takes text'],
    [{ duration: 11 }, '`duration` is 11, and it takes 3..10'],
    [{ aspect_ratio: '21:9' }, '`aspect_ratio` is 21:9, and it takes 16:9, 9:16'],
    [{ sound: true }, 'it has no `sound`'],
  ])('says why %j is not covered', (needs, reason) => {
    expect(misfit(capabilities, needs)).toBe(reason);
  });
});
