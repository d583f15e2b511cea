import { describe, expect, test } from 'vitest';
import type { Plane } from '#src/engine/media/media.js';
import { type Body, bodyOf } from '#src/engine/motion/body.js';
import { bulgeOf } from '#src/engine/motion/bulge.js';
import { paint, paintPlane } from '../../helpers/pictures.js';

/** A box, half as wide as it is high, in the middle of a transparent picture. */
const picture = { width: 120, height: 160 };
const body = bodyOf(
  paint(picture, 4, (x, y) => [90, 90, 90, x >= 30 && x < 90 && y >= 20 && y < 140 ? 255 : 0]),
) as Body;

/** The row of a bulge at half its height, and how many pixels of the body lie between two of its values. */
function middleRow({ data, width, height }: Plane): { row: Float32Array; scale: number } {
  const first = Math.round(height / 2) * width;
  return { row: data.subarray(first, first + width), scale: body.alpha.width / width };
}

function steepestOf({ row, scale }: ReturnType<typeof middleRow>): number {
  return Math.max(...[...row].slice(1).map((value, at) => Math.abs(value - (row[at] ?? 0)) / scale));
}

describe('bulgeOf', () => {
  test('guesses most in the middle, and nowhere so steeply that a turn would hide a part', () => {
    const found = middleRow(bulgeOf(body));
    expect(found.row.indexOf(Math.max(...found.row))).toBeCloseTo(found.row.length / 2, -1);
    expect(steepestOf(found)).toBeLessThan(0.7);
  });

  test('follows what a model tells of the picture, where the body lies in it', () => {
    // Nearest in the left third of the box, which is at 0.25 to 0.42 of the picture.
    const nearness = paintPlane({ width: 60, height: 80 }, (x) => (x / 60 < 0.42 ? 0.9 : 0.2));
    const { row } = middleRow(bulgeOf(body, nearness));
    const at = (share: number) => row[Math.round(((32 + share * 60) / body.alpha.width) * row.length)] ?? 0;
    expect(at(0.15)).toBeGreaterThan(1.5 * at(0.85));
  });

  test('is nowhere steep, whatever a model tells', () => {
    const nearness = paintPlane({ width: 60, height: 80 }, (x) => x % 2);
    const step = paintPlane({ width: 60, height: 80 }, (x) => (x < 30 ? 0 : 1));
    for (const plane of [nearness, step]) expect(steepestOf(middleRow(bulgeOf(body, plane)))).toBeLessThan(0.65);
  });

  test('hardly listens to a model that sees no difference', () => {
    const flat = bulgeOf(
      body,
      paintPlane({ width: 60, height: 80 }, () => 0.4),
    );
    const { row } = middleRow(flat);
    expect(row.indexOf(Math.max(...row))).toBeCloseTo(row.length / 2, -1);
  });
});
