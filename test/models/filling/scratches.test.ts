import { describe, expect, test } from 'vitest';
import { findScratches } from '#src/models/filling/scratches.js';
import { paint } from '../../helpers/pictures.js';
import { random } from '../../helpers/tiny-models.js';

const size = { width: 200, height: 160 };

/** Soft light, a border between two walls, grain; and a scratch where asked for. */
function scene(isScratched: (x: number, y: number) => boolean) {
  const next = random(6);
  return paint(size, 3, (x, y) => {
    const wall = x + y / 3 > 150 ? 150 : 80;
    const level = wall + 20 * Math.sin(y / 30) + 3 * next();
    return isScratched(x, y) ? [240, 240, 240] : [level, level, level * 0.9];
  });
}

describe('findScratches', () => {
  test('finds a long thin line, and little else', () => {
    const isScratched = (x: number, y: number) => Math.abs(x - 60 - y / 4) < 1 && y > 20 && y < 130;
    const mask = findScratches(scene(isScratched), { strength: 0.5 });
    expect(mask).toMatchObject({ ...size, channels: 1 });
    let [found, total, beside] = [0, 0, 0];
    for (const [at, value] of mask.data.entries()) {
      const [x, y] = [at % size.width, Math.floor(at / size.width)];
      if (isScratched(x, y)) {
        total += 1;
        found += value === 255 ? 1 : 0;
      } else if (value === 255 && Math.abs(x - 60 - y / 4) > 5) beside += 1;
    }
    expect(found / total).toBeGreaterThan(0.8);
    expect(beside / mask.data.length).toBeLessThan(0.002);
  });

  test('finds none on a border between two walls, nor in grain', () => {
    const { data } = findScratches(
      scene(() => false),
      { strength: 0.5 },
    );
    expect(data.every((value) => value === 0)).toBe(true);
  });

  test('leaves short things alone', () => {
    const { data } = findScratches(
      scene((x, y) => x === 60 && y > 50 && y < 57),
      { strength: 0.5 },
    );
    expect(data.every((value) => value === 0)).toBe(true);
  });

  test('takes a picture that is smaller than its window', () => {
    const { data } = findScratches(
      paint({ width: 3, height: 2 }, 3, () => [1, 2, 3]),
      { strength: 1 },
    );
    expect(data).toHaveLength(6);
  });
});
