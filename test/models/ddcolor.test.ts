import { beforeAll, describe, expect, test } from 'vitest';
import type { Pixels } from '#src/engine/media/media.js';
import { colourRows } from '#src/models/colour/colouring.js';
import { measureColours } from '#src/models/colour/colourfulness.js';
import { chromaOf, greyOf, luminance } from '#src/models/colour/lab.js';
import { loadModel } from '#src/models/load.js';
import type { ColourModel } from '#src/models/model.js';
import { noise, paint } from '../helpers/pictures.js';
import { tempFolderOfFile } from '../helpers/temp-folder.js';
import { tinyColouriser } from '../helpers/tiny-faces.js';
import { install, type TinyModel } from '../helpers/tiny-models.js';
import { colourContract } from './model-contract.js';

const [plain, warm, sloped] = [tinyColouriser(), tinyColouriser({ a: 12, b: 30 }), tinyColouriser({ slope: 40, b: 5 })];

let folder: string;
beforeAll(async () => {
  folder = await tempFolderOfFile();
  for (const tiny of [plain, warm, sloped]) await install(tiny, folder);
});

for (const { entry } of [plain, warm, sloped]) {
  colourContract(entry.id, () => loadModel(entry, { folder, device: 'cpu', threads: 1 }));
}

async function using<T>({ entry }: TinyModel, check: (model: ColourModel) => Promise<T>): Promise<T> {
  const loaded = await loadModel(entry, { folder, device: 'cpu', threads: 1 });
  try {
    if (loaded.task !== 'colorization') throw new Error(`Expected a colouriser, got one for ${loaded.task}`);
    return await check(loaded.model);
  } finally {
    await loaded.release();
  }
}

const size = { width: 90, height: 70 };
const grey = paint(size, 3, (x, y) => [x + y, x + y, x + y]);

/** The whole picture with the model's colours, in bands of 30 rows. */
async function coloured(picture: Pixels, tiny: TinyModel, amount: number): Promise<Pixels> {
  const chroma = await using(tiny, (model) => model.predict(noise(model.size, 3)));
  const result = { ...picture, data: picture.data.slice() };
  const apply = colourRows(chroma, picture, amount);
  const stride = picture.width * picture.channels;
  for (let top = 0; top < picture.height; top += 30) {
    const height = Math.min(30, picture.height - top);
    apply({ ...result, height, data: result.data.subarray(top * stride, (top + height) * stride) }, top);
  }
  return result;
}

describe('a model of the family ddcolor', () => {
  test('is given the grey of the lightness, 0 to 1, whatever the colours are', () =>
    using(sloped, async (model) => {
      const picture = noise(model.size, 3);
      const { a, b } = await model.predict(picture);
      expect(a).toMatchObject(model.size);
      for (const at of [0, 77, 4095]) {
        const [red = 0, green = 0, blue = 0] = picture.data.subarray(3 * at, 3 * at + 3);
        const level = greyOf(luminance(red, green, blue)) / 255;
        expect(a.data[at]).toBeCloseTo(40 * level, 3);
        expect(b.data[at]).toBeCloseTo(5 + 40 * level, 3);
      }
    }));
});

describe('colourRows', () => {
  test('with no colours gives the grey picture within one level', async () => {
    const { data } = await coloured(grey, plain, 1);
    expect(furthest(data, grey.data)).toBeLessThanOrEqual(1);
  });

  test('with no colours takes those of a picture away, and keeps its lightness', async () => {
    const picture = noise(size, 3);
    const { data } = await coloured(picture, plain, 1);
    for (let at = 0; at < data.length; at += 3) {
      const [red = 0, green = 0, blue = 0] = picture.data.subarray(at, at + 3);
      expect(Math.abs((data[at] ?? 0) - greyOf(luminance(red, green, blue)))).toBeLessThanOrEqual(0.6);
      expect(data[at]).toBe(data[at + 2]);
    }
  });

  test('gives exactly the colours it was told, by the strength it was told', async () => {
    const full = await coloured(grey, warm, 1);
    const half = await coloured(grey, warm, 0.5);
    const chroma = new Float32Array(2);
    const at = 3 * (35 * size.width + 45);
    chromaOf(full.data[at] ?? 0, full.data[at + 1] ?? 0, full.data[at + 2] ?? 0, chroma);
    expect(chroma[0]).toBeCloseTo(12, 0);
    expect(Math.abs((chroma[1] as number) - 30)).toBeLessThan(1);
    for (let channel = 0; channel < 3; channel++) {
      const between = ((full.data[at + channel] ?? 0) + (grey.data[at + channel] ?? 0)) / 2;
      expect(Math.abs((half.data[at + channel] ?? 0) - between)).toBeLessThanOrEqual(1);
    }
  });

  test('leaves alpha alone', async () => {
    const clear = noise(size, 4);
    const { data } = await coloured(clear, warm, 1);
    expect(data.filter((_, at) => at % 4 === 3)).toEqual(clear.data.filter((_, at) => at % 4 === 3));
  });
});

describe('measureColours', () => {
  test('is nothing for a grey picture, little for one with a few coloured specks, and much for one with colours', () => {
    expect(measureColours(grey)).toBeLessThan(0.1);
    const specks = paint(size, 3, (x, y) => (x % 30 === 0 && y % 30 === 0 ? [200, 20, 20] : [x + y, x + y, x + y]));
    expect(measureColours(specks)).toBeLessThan(0.1);
    const red = paint(size, 3, (x, y) => (x < 5 ? [160, 60, 60] : [x + y, x + y, x + y]));
    expect(measureColours(red)).toBeGreaterThan(20);
  });

  test('does not count what is transparent', () => {
    const hidden = paint(size, 4, (x) => (x < 40 ? [200, 20, 20, 0] : [90, 90, 90, 255]));
    expect(measureColours(hidden)).toBeLessThan(0.1);
    expect(measureColours({ ...hidden, data: new Uint8Array(hidden.data.length) })).toBe(0);
  });
});

function furthest(found: Uint8Array, expected: Uint8Array): number {
  return found.reduce((most, value, at) => Math.max(most, Math.abs(value - (expected[at] ?? 0))), 0);
}
