import { describe, expect, test } from 'vitest';
import type { Pixels } from '#src/engine/media/media.js';
import { surveyAlpha } from '#src/models/matting/alpha-survey.js';
import { paint } from '../../helpers/pictures.js';

/** A box of 400 × 300 at 100, 200 with a soft right side, and one pixel that can hardly be seen. */
function alphaAt(x: number, y: number): number {
  if (x === 5 && y === 5) return 4;
  if (y < 200 || y >= 500 || x < 100 || x >= 500) return 0;
  return x >= 490 ? 128 : 255;
}

const size = { width: 1000, height: 600 };
const picture = paint(size, 4, (x, y) => [1, 2, 3, alphaAt(x, y)]);

function survey({ data, width, height, channels }: Pixels, rowsAtATime: number) {
  const { add, result } = surveyAlpha({ width, height });
  for (let top = 0; top < height; top += rowsAtATime) {
    const rows = Math.min(rowsAtATime, height - top);
    add({
      data: data.subarray(top * width * channels, (top + rows) * width * channels),
      width,
      height: rows,
      channels,
    });
  }
  return result();
}

describe('surveyAlpha', () => {
  test('finds where the subject is, how much of the picture it fills and how soft it ends', () => {
    const found = survey(picture, 600);
    expect(found.box).toEqual({ left: 100, top: 200, width: 400, height: 300 });
    expect(found.coverage).toBeCloseTo((390 * 300 + 10 * 300 * (128 / 255)) / 600_000, 4);
    expect(found.soft).toBe(3000);
    expect(found.outline).toBe(2 * 400 + 2 * 300);
    expect(found.sides).toEqual([0, 0, 0, 0]);
    expect(found.plane).toMatchObject({ width: 512, height: 307 });
    expect(found.plane.data[150 * 512 + 150]).toBe(1);
  });

  test('says the same of rows in any number, and of alpha alone', () => {
    const alone: Pixels = { data: picture.data.filter((_, at) => at % 4 === 3), ...size, channels: 1 };
    const whole = survey(picture, 600);
    expect(survey(picture, 7)).toEqual(whole);
    expect(survey(alone, 100)).toEqual(whole);
  });

  test('tells on which sides the subject is cut off', () => {
    const { sides } = survey(
      paint({ width: 100, height: 50 }, 4, (x, y) => [0, 0, 0, x < 20 && y > 9 ? 255 : 0]),
      50,
    );
    expect(sides.map((side) => Number(side.toFixed(3)))).toEqual([0, 0, 0.2, 0.8]);
  });

  test('has no place for a subject that is not there', () => {
    expect(
      survey(
        paint({ width: 3, height: 2 }, 4, () => [9, 9, 9, 0]),
        1,
      ),
    ).toMatchObject({ coverage: 0, box: null });
  });
});
