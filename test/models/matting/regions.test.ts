import { describe, expect, test } from 'vitest';
import { findFlaws, withoutFlaws } from '#src/models/matting/flaws.js';
import { findRegions } from '#src/models/matting/regions.js';

/** Alpha drawn in characters: `#` is kept, `+` is half, anything else is removed. */
function drawn(...lines: string[]) {
  const size = { width: lines[0]?.length ?? 0, height: lines.length };
  const alpha = Uint8Array.from(lines.join(''), (sign) => (sign === '#' ? 255 : sign === '+' ? 128 : 0));
  return { size, alpha };
}

describe('findRegions', () => {
  test('tells apart what touches only by corners, and knows what reaches the border', () => {
    const { size, alpha } = drawn('##....', '##.##.', '...##.', '.#....', '......');
    const { labels, areas, atBorder } = findRegions(size, (at) => alpha[at] === 255);
    expect(areas).toEqual([0, 4, 4, 1]);
    expect(atBorder).toEqual([false, true, false, false]);
    expect([labels[0], labels[9], labels[19], labels[2]]).toEqual([1, 2, 3, 0]);
  });
});

describe('findFlaws and withoutFlaws', () => {
  const scene = () =>
    drawn(
      '....................',
      '.##############.....',
      '.##############..#..',
      '.####..########..+..',
      '.####..########.....',
      '.##############.....',
      '.##....########.....',
      '.##....########.....',
      '.##....########...##',
      '.##############...##',
      '....................',
    );

  test('remove small specks with their soft rims and fill small holes, and leave large ones', () => {
    const { size, alpha } = scene();
    const flaws = findFlaws(alpha, size, 0.05);
    expect([flaws.specks, flaws.holes]).toEqual([2, 1]);
    withoutFlaws(flaws, size)(alpha, 0);
    const at = (x: number, y: number) => alpha[y * 20 + x];
    expect([at(17, 2), at(17, 3), at(18, 8)]).toEqual([0, 0, 0]);
    expect([at(5, 3), at(6, 4)]).toEqual([255, 255]);
    expect([at(4, 7), at(0, 0), at(1, 1)]).toEqual([0, 0, 255]);
  });

  test('do the same on a larger picture, in bands as at once', () => {
    const { size, alpha } = scene();
    const flaws = findFlaws(alpha, size, 0.05);
    const full = { width: 60, height: 33 };
    const enlarged = () =>
      Uint8Array.from(
        { length: 60 * 33 },
        (_, at) => alpha[Math.floor(at / 180) * 20 + Math.floor((at % 60) / 3)] as number,
      );
    const [whole, banded] = [enlarged(), enlarged()];
    withoutFlaws(flaws, full)(whole, 0);
    for (let top = 0; top < 33; top += 10) withoutFlaws(flaws, full)(banded.subarray(60 * top, 60 * (top + 10)), top);
    expect(banded).toEqual(whole);
    expect([whole[60 * 8 + 52], whole[60 * 10 + 16]]).toEqual([0, 255]);
  });

  test('find none in a clean mask, nor when no size is a flaw', () => {
    const { size, alpha } = drawn('....', '.##.', '.##.', '....');
    expect(findFlaws(alpha, size, 0.5)).toMatchObject({ specks: 0, holes: 0 });
    expect(findFlaws(scene().alpha, scene().size, 0)).toMatchObject({ specks: 0, holes: 0 });
  });
});
