import { describe, expect, test } from 'vitest';
import { unheeded } from '#src/engine/operations/restoration/unheeded.js';
import type { RestoreModel } from '#src/models/model.js';

const model: RestoreModel = { id: 'm', overlap: 0, mends: ['noise', 'jpeg'], restore: async (tile) => tile };
const clean = { noise: 0, jpeg: 0, blur: 0 };

describe('unheeded', () => {
  test('says nothing of a model that does what it is asked', () => {
    expect(unheeded(model, { ...clean, noise: 10 }, { denoise: 0.2 })).toEqual([]);
    expect(unheeded(model, clean, {})).toEqual([]);
  });

  test('names what the model does not mend', () => {
    expect(unheeded(model, { ...clean, noise: 10, blur: 1 }, { deblur: 0.5 })).toEqual([
      'Model "m" does nothing for `deblur`',
    ]);
  });

  test('names what a model that sees for itself could be asked for, where it had nothing to do', () => {
    expect(unheeded({ ...model, isBlind: true }, clean, {})).toEqual([
      'Model "m" had nothing to do: ask it for `denoise` and `deblock`',
    ]);
  });

  test('says that such a model knows no strengths, where one was given', () => {
    const blind = { ...model, isBlind: true };
    const warning = ['Model "m" sees for itself how much is wrong: every strength above 0 is the same'];
    expect(unheeded(blind, { ...clean, noise: 10 }, { denoise: 0.2 })).toEqual(warning);
    expect(unheeded(blind, { ...clean, noise: 50 }, { denoise: 1, deblock: 'auto' })).toEqual([]);
  });
});
