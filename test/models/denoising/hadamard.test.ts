import { describe, expect, test } from 'vitest';
import { hadamardGain, hadamardStack } from '#src/models/denoising/hadamard.js';
import { random } from '../../helpers/tiny-models.js';

const next = random(4);
const samples = Float64Array.from({ length: hadamardGain }, () => next());

function transformed(stack: Float64Array): Float64Array {
  const copy = stack.slice();
  hadamardStack(copy);
  return copy;
}

describe('hadamardStack', () => {
  test('is its own inverse but for the gain', () => {
    const twice = transformed(transformed(samples));
    for (const [at, value] of twice.entries()) expect(value / hadamardGain).toBeCloseTo(samples[at] as number, 12);
  });

  test('keeps the energy', () => {
    const energy = (stack: Float64Array) => stack.reduce((sum, value) => sum + value * value, 0);
    expect(energy(transformed(samples)) / hadamardGain).toBeCloseTo(energy(samples), 9);
  });

  test.each([1, 8, 64, 512])('makes one number of what changes with steps of %d samples only', (step) => {
    const stack = Float64Array.from(samples, (_, at) => (Math.floor(at / step) % 2 === 0 ? 3 : -3));
    const found = [...transformed(stack).entries()].filter(([, value]) => value !== 0);
    expect(found).toEqual([[step, 3 * hadamardGain]]);
  });
});
