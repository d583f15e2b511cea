import { describe, expect, test } from 'vitest';
import { direct, type Request, storyboard, type Transition } from '#src/engine/motion/direction.js';
import { easingOf } from '#src/engine/motion/easing.js';

function request(changes: Partial<Request>): Request {
  const usual = { cameras: [], transition: 'cut', easing: easingOf.ease, strength: 0.5, frames: 150, fps: 30 } as const;
  return { ...usual, prompts: ['zoom in', 'pan left', 'zoom out'], isLoop: false, isCalm: false, ...changes };
}

describe('direct', () => {
  test.each(['cut', 'crossfade'] as Transition[])('with %s fills every frame of the clip', (transition) => {
    for (const frames of [72, 97, 150, 900]) {
      const shots = direct(request({ transition, frames }));
      expect([shots[0]?.from, shots.at(-1)?.to]).toEqual([0, frames]);
      for (let index = 0; index < frames; index++) {
        const seen = shots.filter(({ from, to }) => index >= from && index < to).length;
        expect(seen).toBeGreaterThanOrEqual(1);
        expect(seen).toBeLessThanOrEqual(transition === 'cut' ? 1 : 2);
      }
    }
  });

  test('shows two shots at once for half a second in a crossfade, and for a third of a short shot', () => {
    const overlap = (frames: number) => {
      const [first, second] = direct(request({ transition: 'crossfade', frames }));
      return (first?.to ?? 0) - (second?.from ?? 0);
    };
    expect([overlap(300), overlap(72)]).toEqual([15, 8]);
  });

  test('lets the first shot of a loop already show at its end', () => {
    const [first] = direct(request({ transition: 'crossfade', isLoop: true }));
    expect(first?.from).toBe(-15);
  });

  test('makes one move without a stop of continuous shots', () => {
    const shots = direct(request({ transition: 'continuous', prompts: ['zoom in', 'truck right', 'truck right'] }));
    expect(shots).toHaveLength(1);
    const at = (time: number) => shots[0]?.path(time) ?? { x: 0, zoom: 0 };
    const [before, after] = [at(0.329), at(0.337)];
    // Between the first and the second shot the camera comes nearer no more, and goes aside already.
    expect(after.x - before.x).toBeGreaterThan(0.0005);
    expect(at(0.34).zoom).toBeGreaterThan(1.25);
    expect(at(1).x - at(0).x).toBeGreaterThan(0.2);
  });

  test('ends a continuous loop where it began', () => {
    const [shot] = direct(request({ transition: 'continuous', isLoop: true }));
    expect(shot?.path(1)).toEqual(shot?.path(0));
  });

  test('moves as numbers say, whatever the words are', () => {
    const [shot] = direct(request({ prompts: ['pan left'], cameras: [{ zoom: 10 }] }));
    expect(shot?.path(1)).toMatchObject({ zoom: 2, yaw: 0 });
  });

  test('moves more or less far as its strength says', () => {
    const zoomAt = (strength: number) => direct(request({ prompts: ['zoom in'], strength }))[0]?.path(1).zoom ?? 0;
    expect(zoomAt(0)).toBe(1);
    expect(zoomAt(1)).toBeGreaterThan(zoomAt(0.5));
  });

  test('hardly moves a camera that nobody speaks of while something else moves', () => {
    const zoomAt = (isCalm: boolean) => direct(request({ prompts: ['A shoe'], isCalm }))[0]?.path(1).zoom ?? 0;
    expect(zoomAt(true) - 1).toBeLessThan((zoomAt(false) - 1) / 2);
  });

  test('is nearer in a close-up', () => {
    const [wide, close] = direct(request({ prompts: ['zoom in', 'close-up, zoom in'] }));
    expect((close?.path(0).zoom ?? 0) / (wide?.path(0).zoom ?? 1)).toBeCloseTo(1.7);
  });

  test('comes back to where it began in a loop of one shot', () => {
    const [shot] = direct(request({ prompts: ['zoom in'], isLoop: true }));
    expect(shot?.path(1).zoom).toBeCloseTo(1, 9);
    expect(shot?.path(0.5).zoom).toBeGreaterThan(1.2);
  });
});

describe('storyboard', () => {
  test('makes a shot of every sentence', () => {
    expect(storyboard('A city. A man looks up! He smiles.', 10)).toEqual(['A city.', 'A man looks up!', 'He smiles.']);
    expect(storyboard('A. B. C. D. E.', 4)).toEqual(['A.', 'B.']);
  });

  test('looks at one thing in different ways', () => {
    const shots = storyboard('A watch', 9);
    expect(shots).toHaveLength(3);
    expect(new Set(shots).size).toBe(3);
  });
});
