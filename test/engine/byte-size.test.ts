import { expect, it } from 'vitest';
import { describeBytes } from '#src/engine/byte-size.js';

it.each([
  [0, '0 bytes'],
  [1023, '1023 bytes'],
  [1024, '1 KB'],
  [1536, '1.5 KB'],
  [50 * 1024 * 1024, '50 MB'],
  [2.25 * 1024 ** 3, '2.3 GB'],
  [3 * 1024 ** 5, '3072 TB'],
])('describeBytes calls %d bytes %s', (bytes, words) => {
  expect(describeBytes(bytes)).toBe(words);
});
