import { describe, expect, test } from 'vitest';
import { planes, tensorsProblem } from '#src/models/family-tensors.js';
import { families, familyProblem } from '#src/models/index.js';
import type { ModelEntry } from '#src/models/lockfile.js';
import { entryOf } from '../helpers/listed-models.js';

const float = (...shape: (number | string)[]) => ({ type: 'float32', shape });

describe('tensorsProblem', () => {
  const family = { takes: [planes(3), { ...planes(1), isOptional: true }], gives: [planes(3)] };

  test('takes free sides for whatever is asked, and shapes that nobody tells', () => {
    const outputs = [float(1, 3, 'H', 'W'), float(7)];
    expect(tensorsProblem(family, { inputs: [float('N', 'C', 'H', 'W'), float(1, 1, 512, 512)], outputs })).toBeNull();
    expect(tensorsProblem(family, { inputs: [{ type: 'float32', shape: null }], outputs })).toBeNull();
  });

  test.each([
    ['none', [], 'expected input 1 to be float32 [any, 3, any, any], found none'],
    ['another type', [{ type: 'float16', shape: null }], 'found float16 of any shape'],
    ['other channels', [float(1, 256, 256, 3)], 'found float32 [1, 256, 256, 3]'],
    ['fewer dimensions', [float(3, 256, 256)], 'found float32 [3, 256, 256]'],
    ['too many', [float(1, 3, 2, 2), float(1, 1, 2, 2), float(1)], 'expected 2 inputs at most, found 3'],
  ])('refuses inputs of which there are %s', (_, inputs, message) => {
    expect(tensorsProblem(family, { inputs, outputs: [float(1, 3, 2, 2)] })).toContain(message);
  });

  test('refuses other outputs', () => {
    expect(tensorsProblem(family, { inputs: [float(1, 3, 2, 2)], outputs: [float(1, 3, 2)] })).toBe(
      'expected output 1 to be float32 [any, 3, any, any], found float32 [1, 3, 2]',
    );
  });
});

describe('familyProblem', () => {
  const listed = [
    'lama',
    'migan',
    'modnet',
    'realesrgan-x4plus',
    'scunet-real-psnr',
    'kokoro',
    'piper-de-thorsten',
    'sd-turbo',
  ];

  test.each(listed.map(entryOf))('refuses a network for $id that takes what its family does not', (entry) => {
    expect(familyProblem(entry)).toBeNull();
    const other: ModelEntry = { ...entry, inputs: [{ name: 'x', type: 'float32', shape: [1, 7] }] };
    expect(familyProblem(other)).toMatch(/^expected input 1 to be /);
    expect(familyProblem({ ...entry, outputs: [{ name: 'y', type: 'int64', shape: [1] }] })).toMatch(
      /^expected output 1 /,
    );
  });

  test.each(families)('knows what networks of $name ($task) take and give', ({ takes, gives }) => {
    expect(Math.min(takes.length, gives.length)).toBeGreaterThan(0);
  });
});
