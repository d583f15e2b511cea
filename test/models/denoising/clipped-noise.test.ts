import { describe, expect, test } from 'vitest';
import { clippedMeans } from '#src/models/denoising/clipped-noise.js';

describe('clippedMeans', () => {
  test('leaves levels alone that noise does not carry to black or white', () => {
    for (const level of [100, 128, 155]) expect(clippedMeans(20)[level]).toBeCloseTo(level, 4);
  });

  test('takes half the mean deviation from white and gives it to black', () => {
    const means = clippedMeans(25);
    // The mean of the positive half of a normal deviate.
    const half = 25 / Math.sqrt(2 * Math.PI);
    expect(means[255]).toBeCloseTo(255 - half, 4);
    expect(means[0]).toBeCloseTo(half, 4);
  });

  test('is what summing over the noise gives', () => {
    const means = clippedMeans(40);
    for (const level of [3, 20, 60, 200, 250]) {
      let [sum, weights] = [0, 0];
      for (let deviate = -6; deviate <= 6; deviate += 0.001) {
        const weight = Math.exp((-deviate * deviate) / 2);
        sum += weight * Math.min(255, Math.max(0, level + 40 * deviate));
        weights += weight;
      }
      expect(means[level]).toBeCloseTo(sum / weights, 3);
    }
  });
});
