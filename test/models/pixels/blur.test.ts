import { describe, expect, test } from 'vitest';
import { blurPlane } from '#src/models/pixels/blur.js';
import { paintPlane } from '../../helpers/pictures.js';

describe('blurPlane', () => {
  test.each([1, 3.3, 8])('spreads a point almost as a Gaussian of %d pixels does', (deviation) => {
    const side = 81;
    const point = paintPlane({ width: side, height: side }, (x, y) => (x === 40 && y === 40 ? 1 : 0));
    const { data } = blurPlane(point, { across: deviation, down: deviation });
    const moment = data.reduce((sum, value, at) => sum + value * ((at % side) - 40) ** 2, 0);
    expect(data.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 4);
    expect(Math.sqrt(moment)).toBeGreaterThan(deviation * 0.9 - 0.1);
    expect(Math.sqrt(moment)).toBeLessThan(deviation * 1.1 + 0.1);
  });

  test('blurs each way by its own measure, and not at all by 0', () => {
    const bar = paintPlane({ width: 21, height: 21 }, (x) => (x === 10 ? 1 : 0));
    expect(blurPlane(bar, { across: 0, down: 0 }).data).toEqual(bar.data);
    const { data } = blurPlane(bar, { across: 0, down: 2 });
    expect([data[10 * 21 + 9], data[10 * 21 + 10]]).toEqual([0, expect.closeTo(1, 5)]);
  });

  test('takes a plane narrower than its windows', () => {
    const { data } = blurPlane(
      paintPlane({ width: 2, height: 1 }, () => 1),
      { across: 20, down: 20 },
    );
    for (const value of data) expect(value > 0 && value < 1).toBe(true);
  });
});
