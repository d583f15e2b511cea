import { describe, expect, test } from 'vitest';
import { modelNeeds, parseParams } from '#src/engine/operations/index.js';
import { pipeline } from '#src/engine/operations/pipeline.js';

const shop = [{ operation: 'background-removal' }, { operation: 'super-resolution', scale: '4' }];

describe('a pipeline', () => {
  test('takes its steps as a list, and as text', () => {
    expect(parseParams(pipeline, { steps: shop })).toEqual({ params: { steps: shop }, warnings: [] });
    expect(parseParams(pipeline, { steps: JSON.stringify(shop) }).params).toEqual({ steps: shop });
  });

  test('needs the models of all its steps, each in a slot of its step', () => {
    const needs = modelNeeds(pipeline, { steps: shop });
    expect(needs.map(({ slot }) => slot)).toEqual(
      expect.arrayContaining(['0/background-removal', '1/super-resolution']),
    );
    expect(needs.find(({ slot }) => slot === '1/super-resolution')).toMatchObject({ task: 'super-resolution' });
  });

  test('has the format of its own in the last step', () => {
    expect(pipeline.steps?.({ steps: shop, format: 'webp' })).toEqual([
      { operation: 'background-removal', params: {} },
      { operation: 'super-resolution', params: { scale: '4', format: 'webp' } },
    ]);
  });

  test.each([
    [{}, 'steps', /^Expected `steps` to be a list of 1 to 8 steps such as/],
    [{ steps: [] }, 'steps', /at least one step/],
    [{ steps: '[{' }, 'steps', /^Expected `steps` to be a list of 1 to 8 steps/],
    [{ steps: [{ scale: 2 }] }, 'steps', /the name of an operation in `operation`/],
    [{ steps: [{ operation: 'paint' }] }, 'steps[0].operation', /^Expected a step to be one of .*, got "paint"$/],
    [{ steps: [{ operation: 'pipeline', steps: shop }] }, 'steps[0].operation', /got "pipeline"$/],
    [
      { steps: [...shop, { operation: 'super-resolution', scale: 99 }] },
      'steps[2].scale',
      'Step 3: Expected `scale` to be a number from 1 to 16, got 99',
    ],
  ])('refuses %j', (raw, param, message) => {
    expect(() => parseParams(pipeline, raw)).toThrow(
      expect.objectContaining({ code: 'invalid_input', details: { param }, message: expect.stringMatching(message) }),
    );
  });

  test('warns of what a step does not know', () => {
    const { warnings } = parseParams(pipeline, { steps: [{ operation: 'super-resolution', scael: 2 }] });
    expect(warnings).toEqual(['Step 1: Unknown field "scael" was ignored; did you mean "scale"?']);
  });
});
