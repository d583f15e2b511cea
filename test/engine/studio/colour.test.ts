import { describe, expect, test } from 'vitest';
import { parseColour } from '#src/engine/studio/colour.js';

describe('parseColour', () => {
  test.each([
    ['#fff', [255, 255, 255, 255]],
    ['81d4fa', [129, 212, 250, 255]],
    ['#81D4FA77', [129, 212, 250, 119]],
    ['#f008', [255, 0, 0, 136]],
    ['rgb(1, 2, 3)', [1, 2, 3, 255]],
    ['rgba(255,0,0,0.5)', [255, 0, 0, 128]],
    ['rgb(100% 0% 50% / 25%)', [255, 0, 128, 64]],
    ['RebeccaPurple', [102, 51, 153, 255]],
    [' white ', [255, 255, 255, 255]],
    ['transparent', [0, 0, 0, 0]],
  ])('reads %s', (text, colour) => {
    expect(parseColour(text)).toEqual(colour);
  });

  test.each([
    '',
    'whiteish',
    '#12',
    '#12345',
    'rgb(1,2)',
    'rgb(256,0,0)',
    'rgba(1,2,3,2)',
    'rgb(1,2,3,.5,4)',
    'hsl(1,2,3)',
  ])('finds no colour in "%s"', (text) => {
    expect(parseColour(text)).toBeNull();
  });
});
