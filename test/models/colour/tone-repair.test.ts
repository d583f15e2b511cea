import { describe, expect, test } from 'vitest';
import { applyCurves, hasCast, isBadlyExposed, measureTones, toneCurves } from '#src/models/colour/tone-repair.js';
import type { Pixels } from '#src/engine/media/media.js';
import { paint } from '../../helpers/pictures.js';
import { random } from '../../helpers/tiny-models.js';

const size = { width: 120, height: 90 };

/** Grey patches of all levels with some colour among them, under a light of this colour, as a camera without white balance sees it. */
function card([red, green, blue]: readonly [number, number, number]): Pixels {
  const next = random(8);
  const patches = Array.from({ length: 12 * 9 }, (_, index) => {
    const level = 20 + 200 * Math.abs(next());
    return index % 6 === 0 ? [level, level * 0.7, level * 0.5] : [level, level, level];
  });
  const seen = (level: number, light: number) => 255 * ((level / 255) ** 2.2 * light) ** (1 / 2.2);
  return paint(size, 3, (x, y) => {
    const [r = 0, g = 0, b = 0] = patches[Math.floor(y / 10) * 12 + Math.floor(x / 10)] ?? [];
    return [seen(r, red), seen(g, green), seen(b, blue)];
  });
}

function repaired(picture: Pixels, repair: { whiteBalance: number; exposure: number }): Pixels {
  const copy = { ...picture, data: picture.data.slice() };
  applyCurves(copy, toneCurves(measureTones(picture), repair));
  return copy;
}

describe('the repair of tones', () => {
  test('finds the light of a lamp, and takes it out', () => {
    const yellow = card([1, 0.8, 0.5]);
    expect(hasCast(measureTones(yellow))).toBe(true);
    const { light } = measureTones(repaired(yellow, { whiteBalance: 1, exposure: 0 }));
    expect(light.red).toBeCloseTo(1, 1);
    expect(light.blue).toBeCloseTo(1, 1);
  });

  test('sees no cast in daylight', () => {
    expect(hasCast(measureTones(card([1, 1, 1])))).toBe(false);
  });

  test('is not sure of a picture that is all one colour', () => {
    const leaves = paint(size, 3, (x, y) => [40 + (x % 7) * 3, 120 + y, 30 + ((x * y) % 5)]);
    expect(hasCast(measureTones(leaves))).toBe(false);
  });

  test('stretches a flat picture over the whole range', () => {
    const flat = paint(size, 3, (x) => [90 + x / 2, 90 + x / 2, 90 + x / 2]);
    expect(isBadlyExposed(measureTones(flat))).toBe(true);
    const facts = measureTones(repaired(flat, { whiteBalance: 0, exposure: 1 }));
    expect(facts.white - facts.black).toBeGreaterThan(140);
  });

  test('brightens what is too dark', () => {
    const dark = paint(size, 3, (x, y) => (x > 112 ? [250, 250, 250] : [10 + y / 4, 10 + y / 4, 12 + y / 4]));
    const { middle } = measureTones(dark);
    expect(isBadlyExposed(measureTones(dark))).toBe(true);
    expect(measureTones(repaired(dark, { whiteBalance: 0, exposure: 1 })).middle).toBeGreaterThan(middle * 1.5);
  });

  test('does nothing at a strength of 0', () => {
    const picture = card([1, 0.8, 0.5]);
    expect(repaired(picture, { whiteBalance: 0, exposure: 0 }).data).toEqual(picture.data);
  });

  test('leaves a picture on white alone, and the alpha of any', () => {
    const product = paint(size, 4, (x) => (x < 20 ? [5, 5, 5, 255] : [250, 250, 250, 130 + x]));
    expect(isBadlyExposed(measureTones(product))).toBe(false);
    const alphas = ({ data }: Pixels) => data.filter((_, at) => at % 4 === 3);
    expect(alphas(repaired(product, { whiteBalance: 1, exposure: 1 }))).toEqual(alphas(product));
  });
});
