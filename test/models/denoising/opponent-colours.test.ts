import { expect, test } from 'vitest';
import { fromOpponents, toOpponent } from '#src/models/denoising/opponent-colours.js';

test.each([
  [0, 0, 0],
  [255, 255, 255],
  [200, 30, 90],
])('opponent colours of %d, %d, %d lead back to them, and are as long', (...colours) => {
  const opponents = [0, 1, 2].map((index) => toOpponent(index, colours, 0));
  expect(Math.hypot(...opponents)).toBeCloseTo(Math.hypot(...colours), 9);
  for (const [index, level] of colours.entries()) expect(fromOpponents(index, opponents)).toBeCloseTo(level, 9);
});
