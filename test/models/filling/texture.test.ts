import { describe, expect, test } from 'vitest';
import type { Pixels } from '#src/engine/media/media.js';
import { continueTexture } from '#src/models/filling/texture.js';
import { noise, paint } from '../../helpers/pictures.js';
import { random } from '../../helpers/tiny-models.js';

const size = { width: 120, height: 100 };

function disc({ width, height }: Pixels, radius: number): Pixels {
  const data = Uint8Array.from({ length: width * height }, (_, at) => {
    const [x, y] = [(at % width) - width / 2, Math.floor(at / width) - height / 2];
    return x * x + y * y < radius * radius ? 255 : 0;
  });
  return { data, width, height, channels: 1 };
}

/** The picture with one colour under the mask, as a smooth fill would leave it. */
function smoothed(picture: Pixels, mask: Pixels, colour: readonly number[]): Pixels {
  const data = picture.data.map((value, at) =>
    mask.data[Math.floor(at / 3)] === 0 ? value : (colour[at % 3] as number),
  );
  return { ...picture, data };
}

/** Mean difference between neighbours of a row, where the mask says so. */
function energy({ data }: Pixels, isCounted: (pixel: number) => boolean): number {
  let [sum, count] = [0, 0];
  for (let pixel = 1; pixel < data.length / 3; pixel++) {
    if (!isCounted(pixel)) continue;
    sum += Math.abs((data[3 * pixel] as number) - (data[3 * pixel - 3] as number));
    count += 1;
  }
  return sum / count;
}

describe('continueTexture', () => {
  const next = random(11);
  const grass = paint(size, 3, () => [60 + 40 * next(), 120 + 40 * next(), 50 + 30 * next()]);
  const mask = disc(grass, 18);
  const filled = smoothed(grass, mask, [60, 120, 50]);

  test('gives the hole about the energy of the texture around it', () => {
    const result = continueTexture(filled, mask);
    const isInside = (pixel: number) => mask.data[pixel] !== 0 && mask.data[pixel - 1] !== 0;
    const [inside, outside] = [energy(result, isInside), energy(grass, (pixel) => mask.data[pixel] === 0)];
    expect(energy(filled, isInside)).toBe(0);
    expect(inside / outside).toBeGreaterThan(0.5);
    expect(inside / outside).toBeLessThan(1.1);
  });

  test('shows no border: steps across it are those of the texture', () => {
    const result = continueTexture(filled, mask);
    const isBorder = (pixel: number) => (mask.data[pixel] === 0) !== (mask.data[pixel - 1] === 0);
    expect(energy(result, isBorder)).toBeLessThan(1.2 * energy(grass, (pixel) => mask.data[pixel] === 0));
  });

  test('goes on with stripes in their own rhythm', () => {
    const stripes = paint(size, 3, (x) => (x % 6 < 3 ? [200, 200, 200] : [60, 60, 60]));
    const marked = disc(stripes, 12);
    const result = continueTexture(smoothed(stripes, marked, [130, 130, 130]), marked);
    let alike = 0;
    const inside = [...marked.data.keys()].filter((pixel) => marked.data[pixel] !== 0);
    for (const pixel of inside) {
      const isLight = (picture: Pixels) => (picture.data[3 * pixel] as number) > 130;
      if (isLight(result) === isLight(stripes)) alike += 1;
    }
    expect(alike / inside.length).toBeGreaterThan(0.85);
  });

  test('leaves a plain place plain and what is known as it was', () => {
    const plain = paint(size, 3, () => [90, 140, 200]);
    expect(continueTexture(plain, mask).data).toEqual(plain.data);
    const result = continueTexture(filled, mask);
    expect(
      result.data.filter((value, at) => mask.data[Math.floor(at / 3)] === 0 && value !== grass.data[at]),
    ).toHaveLength(0);
  });

  test('gives the same twice', () => {
    expect(continueTexture(filled, mask).data).toEqual(continueTexture(filled, mask).data);
  });

  test.each([
    [1, 1],
    [5, 40],
    [30, 30],
  ])('leaves %d × %d pixels as they are when there is nothing to take texture from', (width, height) => {
    const picture = noise({ width, height }, 3);
    const all: Pixels = { data: new Uint8Array(width * height).fill(255), width, height, channels: 1 };
    expect(continueTexture(picture, all).data).toEqual(picture.data);
  });
});
