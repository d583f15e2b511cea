import { expect, it } from 'vitest';
import { describeBytes } from '#src/engine/byte-size.js';

it.each([
  [0, '0 bytes'],
  [999, '999 bytes'],
  [1000, '1 KB'],
  [1500, '1.5 KB'],
  [50_000_000, '50 MB'],
  [2.25e9, '2.3 GB'],
  [3e15, '3000 TB'],
])('describeBytes calls %d bytes %s', (bytes, words) => {
  expect(describeBytes(bytes)).toBe(words);
});
