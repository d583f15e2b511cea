import { describe, expect, it } from 'vitest';
import { leftOut, nearestRatio, pixels, timedShots } from '#src/engine/providers/orders.js';
import { videoOrder } from './service-bench.js';

describe('timedShots', () => {
  it.each([
    [10, 3, [3, 3, 4]],
    [5, 2, [2, 3]],
    [6, 6, [1, 1, 1, 1, 1, 1]],
    [3, 6, [1, 1, 1]],
  ])('spreads %i seconds over %i shots, all of them and none for nothing', (total, count, seconds) => {
    const shots = Array.from({ length: count }, (_, at) => `shot ${at}`);
    const timed = timedShots(shots, total);
    expect(timed.map((shot) => shot.seconds)).toEqual(seconds);
    expect(timed.map(({ prompt }) => prompt).join('. ')).toBe(shots.join('. '));
  });
});

describe('pixels', () => {
  it('has the shorter side of the resolution, and even sides', () => {
    expect(pixels('16:9', '1080p')).toEqual({ width: 1920, height: 1080 });
    expect(pixels('9:16', '720p')).toEqual({ width: 720, height: 1280 });
    expect(pixels('21:9', '480p')).toEqual({ width: 1120, height: 480 });
    expect(pixels('1:1', '720p')).toEqual({ width: 720, height: 720 });
  });
});

describe('nearestRatio', () => {
  it('is the one whose shape is closest', () => {
    expect(nearestRatio({ width: 1792, height: 1024 }, ['1:1', '16:9', '21:9'])).toBe('16:9');
    expect(nearestRatio({ width: 100, height: 101 }, ['1:1', '9:16'])).toBe('1:1');
  });
});

describe('leftOut', () => {
  it('names what was asked for and is not said to the service', () => {
    const order = { ...videoOrder, seed: 1, camera: { zoom: 3, pan: 0 }, localOnly: ['loop'] };
    expect(leftOut(order, ['seed'], 'Kling')).toEqual([
      '`zoom` was left out: Kling has nothing like it',
      '`loop` was left out: Kling has nothing like it',
    ]);
  });
});
