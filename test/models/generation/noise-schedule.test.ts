import { describe, expect, test } from 'vitest';
import { gaussianNoise, noiseLevel } from '#src/models/generation/noise-schedule.js';
import { createRandom } from '#src/models/filling/patch-match.js';
import { fullSigma } from '../../helpers/tiny-turbo.js';

describe('noiseLevel', () => {
  test('begins with the noise of the last step of training', () => {
    const { timestep, sigma } = noiseLevel(1);
    expect(timestep).toBe(999);
    expect(sigma).toBeCloseTo(fullSigma, 3);
  });

  test('begins later, with less noise, for less strength', () => {
    expect(noiseLevel(0.5).timestep).toBe(499);
    const sigmas = [0.0001, 0.1, 0.3, 0.5, 0.8, 1].map((strength) => noiseLevel(strength).sigma);
    expect(sigmas).toEqual([...sigmas].sort((one, other) => one - other));
    expect(sigmas[0]).toBeCloseTo(0.0292, 4);
  });
});

describe('gaussianNoise', () => {
  test('has a mean of 0 and a deviation of 1, and is the same for the same seed', () => {
    const noise = gaussianNoise(40_001, createRandom(7));
    const mean = noise.reduce((sum, value) => sum + value, 0) / noise.length;
    const variance = noise.reduce((sum, value) => sum + value * value, 0) / noise.length;
    expect(Math.abs(mean)).toBeLessThan(0.02);
    expect(Math.abs(variance - 1)).toBeLessThan(0.03);
    expect(gaussianNoise(40_001, createRandom(7))).toEqual(noise);
    expect(gaussianNoise(40_001, createRandom(8))).not.toEqual(noise);
  });
});
