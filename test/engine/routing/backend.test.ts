import { describe, expect, it } from 'vitest';
import { misfit } from '#src/engine/routing/backend.js';
import { needsOf } from '#src/engine/routing/order.js';
import { fal } from '#src/engine/providers/fal.js';
import { kling } from '#src/engine/providers/kling.js';
import { videoOrder } from '../providers/service-bench.js';

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

  it('holds clips of several shots to a limit of their own where there is one, else to that of all clips', () => {
    const shots = { duration: 9, multi_shot_duration: 9 };
    expect(misfit(capabilities, shots)).toBeNull();
    expect(misfit({ ...capabilities, multi_shot_duration: { min: 3, max: 8 } }, shots)).toBe(
      '`multi_shot_duration` is 9, and it takes 3..8',
    );
  });
});

describe.each([kling, fal])('$name', ({ rows }) => {
  it.each([
    ['kling-v3', 10],
    ['kling-o3-pro', 15],
  ])('takes several shots with %s up to %d s', (name, most) => {
    const order = { ...videoOrder, shots: ['one', 'two'] };
    const able = (duration: number) => rows.filter((row) => !misfit(row.capabilities, needsOf({ ...order, duration })));
    expect(able(most).map(({ model }) => model)).toContain(`${name}-t2v`);
    if (most < 15) expect(able(most + 1).map(({ model }) => model)).not.toContain(`${name}-t2v`);
  });
});
