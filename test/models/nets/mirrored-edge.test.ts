import { describe, expect, test } from 'vitest';
import type { Pixels } from '#src/engine/media/media.js';
import { cropTo, mirrorTo, mirrorToMultiple } from '#src/models/nets/mirrored-edge.js';
import { noise } from '../../helpers/pictures.js';

const row: Pixels = { data: Uint8Array.of(1, 2, 3), width: 3, height: 1, channels: 1 };

describe('mirrorTo', () => {
  test('goes on with the mirror image, edge pixels twice, as often as it takes', () => {
    expect([...mirrorTo(row, { width: 8, height: 1 }).data]).toEqual([1, 2, 3, 3, 2, 1, 1, 2]);
    expect([...mirrorTo({ ...row, width: 1, height: 3 }, { width: 2, height: 4 }).data]).toEqual([
      1, 1, 2, 2, 3, 3, 3, 3,
    ]);
  });

  test('leaves a picture of the right size alone', () => {
    expect(mirrorTo(row, row)).toBe(row);
    expect(mirrorToMultiple(row, 1)).toBe(row);
  });
});

describe('mirrorToMultiple', () => {
  test('is undone by cropTo', () => {
    const picture = noise({ width: 21, height: 10 }, 3);
    const whole = mirrorToMultiple(picture, 16);
    expect(whole).toMatchObject({ width: 32, height: 16, channels: 3 });
    expect(cropTo(whole, picture)).toEqual(picture);
  });
});
