import { expect, test } from 'vitest';
import { isBlank } from '#src/models/filling/blank.js';

test.each([0, 1, 70_000, 1 << 17])(
  '%d zeros are blank, and not with a single other sample, wherever it is',
  (length) => {
    const samples = new Uint8Array(length);
    expect(isBlank(samples)).toBe(true);
    for (const at of [0, Math.floor(length / 2), length - 1].filter((place) => place >= 0 && place < length)) {
      const marked = samples.slice();
      marked[at] = 1;
      expect(isBlank(marked)).toBe(false);
    }
  },
);
