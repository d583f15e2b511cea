import { describe, expect, test } from 'vitest';
import { readEditPrompt } from '#src/engine/studio/edit-wording.js';

describe('readEditPrompt', () => {
  test.each([
    ['clean white studio background + soft shadow', { kind: 'studio', colour: 'white' }],
    ['professional product photo on a pure white background, no shadow', { kind: 'plain', colour: 'white' }],
    ['put it on a light grey background', { kind: 'plain', colour: '#d3d3d3' }],
    ['replace the background with a dark blue studio backdrop', { kind: 'studio', colour: 'darkblue' }],
    ['Remove the background', { kind: 'transparent' }],
    ['transparent background please', { kind: 'transparent' }],
    ['gradient background from #fff to blue', { kind: 'gradient', from: '#fff', to: 'blue' }],
    ['make it brighter', null],
  ])('reads the background of "%s"', (prompt, background) => {
    expect(readEditPrompt(prompt)).toMatchObject({ background, unknown: [] });
  });

  test.each([
    ['soft shadow', 'soft'],
    ['with a subtle contact shadow', 'contact'],
    ['add a drop shadow', 'drop'],
    ['a shadow under the product', 'contact'],
    ['without shadow', null],
  ])('reads the shadow of "%s"', (prompt, shadow) => {
    expect(readEditPrompt(prompt)).toMatchObject({ shadow, unknown: [] });
  });

  test('reads light, sharpness and removal in any order', () => {
    expect(readEditPrompt('Sharpen, make it warmer and brighter; remove the watermark. More contrast!')).toMatchObject({
      sharpen: true,
      erase: true,
      light: { brightness: 0.5, warmth: 0.5, contrast: 0.5 },
      unknown: [],
    });
  });

  test.each([
    ['put a parrot on it', ['parrot']],
    ['change the dress to white', ['dress', 'white']],
    ['white background, with a vase of tulips', ['vase', 'tulips']],
    ['a purple dragon background', ['purple', 'dragon', 'background']],
  ])('lists what it does not understand in "%s"', (prompt, unknown) => {
    expect(readEditPrompt(prompt).unknown).toEqual(expect.arrayContaining(unknown));
  });

  test('takes nothing, and the longest prompt', () => {
    expect(readEditPrompt('')).toMatchObject({ background: null, shadow: null, unknown: [] });
    expect(readEditPrompt('soft white '.repeat(3000)).unknown.length).toBeGreaterThan(0);
  });
});
