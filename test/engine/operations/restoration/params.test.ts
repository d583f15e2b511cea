import { expect, test } from 'vitest';
import { imageRestoration } from '#src/engine/operations/image-restoration.js';
import { parseParams } from '#src/engine/operations/index.js';
import { type Repair, wishFor } from '#src/engine/operations/restoration/params.js';

const wish = (raw: Record<string, unknown>, repair: Repair) =>
  wishFor(parseParams(imageRestoration, raw).params, repair, repair === 'denoise' ? 'auto' : 0);

test.each<[Record<string, unknown>, Repair, number | 'auto']>([
  [{}, 'faces', 0],
  [{}, 'denoise', 'auto'],
  [{ auto: true }, 'colorize', 'auto'],
  [{ auto: true, colorize: 0 }, 'colorize', 0],
  [{ face_enhance: 'true' }, 'faces', 1],
  [{ face_enhance: 0.3, faces: 0.6 }, 'faces', 0.6],
  [{ auto: true, scratch_removal: false }, 'scratches', 0],
  [{ scratch_removal: 'auto' }, 'scratches', 'auto'],
])('of %j the wish for %s is %j', (raw, repair, expected) => {
  expect(wish(raw, repair)).toBe(expected);
});
