import { describe, expect, test } from 'vitest';
import type { Pixels, Size } from '#src/engine/media/media.js';
import type { LoadedModel } from '#src/models/load.js';
import { distinctFaces } from '#src/models/faces/distinct-faces.js';
import {
  type ColourModel,
  type Damage,
  damages,
  type FaceModel,
  type FaceRestoreModel,
  type InpaintModel,
  type MattingModel,
  type RestoreModel,
  type UpscaleModel,
} from '#src/models/model.js';
import { enlarge } from '#src/models/tiling/tiling.js';
import { joinRows, noise, paint, psnr, readerOf } from '../helpers/pictures.js';

/** What every model for background removal does, whatever its family. `load` makes it anew for each test. */
export function mattingContract(name: string, load: () => Promise<LoadedModel>): void {
  const using = withModel(load, 'background-removal');

  describe(`${name} as a model for background removal`, () => {
    test.each([
      [1, 1],
      [640, 480],
      [33, 1001],
      [30_000, 2],
    ])('wants a picture of %d × %d at a size that it can take, and gives alpha of that size', (width, height) =>
      using(async (model: MattingModel) => {
        const size = model.inputSize({ width, height });
        expect(Math.max(size.width, size.height)).toBeLessThanOrEqual(2048);
        const alpha = await model.predict(noise(size, 3));
        expect(alpha).toMatchObject(size);
        expect(alpha.data).toHaveLength(size.width * size.height);
        for (const value of alpha.data) if (!(value >= 0 && value <= 1)) expect.fail(`alpha of ${value}`);
      }),
    );

    test('gives the same twice', () =>
      using(async (model: MattingModel) => {
        const picture = noise(model.inputSize({ width: 500, height: 400 }), 3);
        const [once, twice] = [await model.predict(picture), await model.predict(picture)];
        expect(once.data).toEqual(twice.data);
      }));

    test('takes a picture without any contrast', () =>
      using(async (model: MattingModel) => {
        const picture = noise(model.inputSize({ width: 500, height: 400 }), 3);
        for (const level of [0, 255]) {
          const alpha = await model.predict({ ...picture, data: picture.data.map(() => level) });
          expect(alpha.data.every(Number.isFinite)).toBe(true);
        }
      }));
  });
}

/** What every model for super-resolution does; `exact` if its overlap covers its receptive field. */
export function upscaleContract(name: string, load: () => Promise<LoadedModel>, { exact }: { exact: boolean }): void {
  const using = withModel(load, 'super-resolution');

  describe(`${name} as a model for super-resolution`, () => {
    test.each([
      [1, 1],
      [1, 9],
      [17, 5],
    ])('enlarges a tile of %d × %d', (width, height) =>
      using(async (model: UpscaleModel) => {
        const large = await model.upscale(noise({ width, height }, 3));
        expect(large).toMatchObject({ width: width * model.scale, height: height * model.scale, channels: 3 });
        expect(large.data).toHaveLength(width * height * 3 * model.scale ** 2);
      }),
    );

    test('gives the same twice', () =>
      using(async (model: UpscaleModel) => {
        const tile = noise({ width: 20, height: 12 }, 3);
        expect((await model.upscale(tile)).data).toEqual((await model.upscale(tile)).data);
      }));

    test('keeps the brightness of a flat tile', () =>
      using(async (model: UpscaleModel) => {
        const tile = noise({ width: 24, height: 24 }, 3);
        const { data } = await model.upscale({ ...tile, data: tile.data.map(() => 120) });
        const mean = data.reduce((sum, value) => sum + value, 0) / data.length;
        expect(Math.abs(mean - 120)).toBeLessThan(exact ? 30 : 12);
      }));

    test('gives in tiles what it gives in one run', () =>
      using(async (model: UpscaleModel) => {
        const window = 2 * model.overlap + 48;
        const picture = noise({ width: window + 21, height: 40 }, 3);
        const bands: Parameters<typeof joinRows>[0] = [];
        const options = {
          tile: window,
          checkpoint: () => {},
          write: async (rows: (typeof bands)[0]) => void bands.push({ ...rows, data: rows.data.slice() }),
        };
        await enlarge(readerOf(picture), model, options);
        const quality = psnr(joinRows(bands).data, (await model.upscale(picture)).data);
        expect(quality).toBeGreaterThan(exact ? 200 : 60);
      }));
  });
}

/** What every model for inpainting does, whatever its family. */
export function inpaintContract(name: string, load: () => Promise<LoadedModel>): void {
  const using = withModel(load, 'inpainting');

  describe(`${name} as a model for inpainting`, () => {
    test.each([
      [1, 1],
      [7, 90],
      [130, 61],
    ])('fills a crop of %d × %d and leaves what is known as it was', (width, height) =>
      using(async (model: InpaintModel) => {
        const crop = noise({ width, height }, 3);
        const mask = stripes({ width, height });
        const before = crop.data.slice();
        const filled = await model.fill(crop, mask);
        expect(filled).toMatchObject({ width, height, channels: 3 });
        expect(crop.data).toEqual(before);
        expect(known(filled, mask)).toEqual(known(crop, mask));
      }),
    );

    test('does not look at what is to be filled', () =>
      using(async (model: InpaintModel) => {
        const crop = noise({ width: 40, height: 40 }, 3);
        const mask = stripes(crop);
        const other = { ...crop, data: crop.data.map((value, at) => (mask.data[Math.floor(at / 3)] ? 99 : value)) };
        expect((await model.fill(other, mask)).data).toEqual((await model.fill(crop, mask)).data);
      }));

    test('gives the same twice', () =>
      using(async (model: InpaintModel) => {
        const crop = noise({ width: 50, height: 40 }, 3);
        const mask = stripes(crop);
        expect((await model.fill(crop, mask)).data).toEqual((await model.fill(crop, mask)).data);
      }));

    test('goes on with a plain colour', () =>
      using(async (model: InpaintModel) => {
        const crop = noise({ width: 96, height: 80 }, 3);
        const plain = { ...crop, data: crop.data.map((_, at) => [200, 120, 60][at % 3] as number) };
        const { data } = await model.fill(plain, stripes(crop));
        const furthest = data.reduce(
          (most, value, at) => Math.max(most, Math.abs(value - (plain.data[at] as number))),
          0,
        );
        expect(furthest).toBeLessThan(16);
      }));

    test('goes on with the shapes of a sketch, and leaves what is known as it was', () =>
      using(async (model: InpaintModel) => {
        const crop = paint({ width: 97, height: 90 }, 3, () => [200, 200, 200]);
        const isHole = (x: number, y: number) => x > 16 && x < 80 && y > 16 && y < 74;
        const data = Uint8Array.from({ length: 97 * 90 }, (_, at) => (isHole(at % 97, Math.floor(at / 97)) ? 255 : 0));
        const mask: Pixels = { ...crop, data, channels: 1 };
        const small = { width: 49, height: 45 };
        const pixels = paint(small, 3, (x, y) =>
          x > 20 && x < 30 && y > 18 && y < 28 ? [60, 60, 60] : [200, 200, 200],
        );
        const filled = await model.fill(crop, mask, { pixels, factor: 2 });
        expect(known(filled, mask)).toEqual(known(crop, mask));
        const at = (x: number, y: number) => filled.data[3 * (y * 97 + x)] as number;
        expect(at(25, 45) - at(50, 46)).toBeGreaterThan(60);
      }));

    test('takes a crop of which nothing is known', () =>
      using(async (model: InpaintModel) => {
        const crop = noise({ width: 33, height: 20 }, 3);
        const mask: Pixels = { data: new Uint8Array(33 * 20).fill(255), width: 33, height: 20, channels: 1 };
        expect((await model.fill(crop, mask)).data).toHaveLength(crop.data.length);
      }));
  });
}

const clean: Damage = { noise: 0, jpeg: 0, blur: 0 };

/** What every model for restoration does, whatever its family. */
export function restoreContract(name: string, load: () => Promise<LoadedModel>): void {
  const using = withModel(load, 'image-restoration');

  describe(`${name} as a model for restoration`, () => {
    test.each([
      [1, 1],
      [7, 90],
      [130, 61],
    ])('restores a tile of %d × %d', (width, height) =>
      using(async (model: RestoreModel) => {
        const tile = noise({ width, height }, 3);
        const restored = await model.restore(tile, { noise: 20, jpeg: 0.5, blur: 1 });
        expect(restored).toMatchObject({ width, height, channels: 3 });
        expect(restored.data).toHaveLength(width * height * 3);
      }),
    );

    test('gives the same twice', () =>
      using(async (model: RestoreModel) => {
        const tile = noise({ width: 31, height: 20 }, 3);
        const damage = { ...clean, noise: 30 };
        expect((await model.restore(tile, damage)).data).toEqual((await model.restore(tile, damage)).data);
      }));

    test('brings a picture with damage that it mends nearer to what it was', () =>
      using(async (model: RestoreModel) => {
        const picture = paint({ width: 96, height: 64 }, 3, (x, y) => [90 + x, 200 - y, (x >> 4) % 2 ? 60 : 180]);
        const [kind] = model.mends;
        const [damaged, damage, gain] =
          kind === 'blur'
            ? [blurred(picture), { ...clean, blur: 0.8 }, 1]
            : [grainy(picture), { ...clean, noise: 18 }, 3];
        const restored = await model.restore(damaged, damage);
        expect(psnr(restored.data, picture.data)).toBeGreaterThan(psnr(damaged.data, picture.data) + gain);
      }));

    test('gives in tiles what it gives in one run', () =>
      using(async ({ id, overlap, restore }: RestoreModel) => {
        const window = Math.ceil((2 * overlap + 48) / 8) * 8;
        const picture = noise({ width: window + 66, height: 40 }, 3);
        const told = (tile: Pixels) => restore(tile, { noise: 20, jpeg: 0, blur: 1 });
        const bands: Pixels[] = [];
        await enlarge(
          readerOf(picture),
          { id, overlap, scale: 1, upscale: told },
          {
            tile: window,
            checkpoint: () => {},
            write: async (rows) => void bands.push({ ...rows, data: rows.data.slice() }),
          },
        );
        expect(psnr(joinRows(bands).data, (await told(picture)).data)).toBeGreaterThan(60);
      }));

    test('leaves a picture alone of which it is told that nothing is wrong that it mends', () =>
      using(async (model: RestoreModel) => {
        const tile = noise({ width: 31, height: 20 }, 3);
        const others = damages.filter((kind) => !model.mends.includes(kind));
        const damage = { ...clean, ...Object.fromEntries(others.map((kind) => [kind, 1])) };
        expect((await model.restore(tile, damage)).data).toEqual(tile.data);
      }));
  });
}

/** What every model that finds faces does, whatever its family. */
export function faceContract(name: string, load: () => Promise<LoadedModel>): void {
  const using = withModel(load, 'face-detection');

  describe(`${name} as a model that finds faces`, () => {
    test.each([
      [1, 1],
      [33, 17],
      [640, 90],
      [640, 640],
    ])('takes a picture of %d × %d and gives each face once, the surest first', (width, height) =>
      using(async (model: FaceModel) => {
        expect(model.size).toEqual({ width: 640, height: 640 });
        const faces = await model.detect(noise({ width, height }, 3));
        expect(faces.map(({ score }) => score)).toEqual(faces.map(({ score }) => score).sort((a, b) => b - a));
        for (const { score, landmarks, width: across } of faces) {
          expect(score > 0 && score <= 1 && across > 0).toBe(true);
          expect(landmarks.every(({ x, y }) => Number.isFinite(x) && Number.isFinite(y))).toBe(true);
        }
        expect(distinctFaces(faces)).toEqual(faces);
      }),
    );

    test('gives the same twice, and nothing for a picture without anything', () =>
      using(async (model: FaceModel) => {
        const picture = noise({ width: 200, height: 140 }, 3);
        expect(await model.detect(picture)).toEqual(await model.detect(picture));
        expect(await model.detect({ ...picture, data: picture.data.map(() => 128) })).toEqual([]);
      }));
  });
}

function grainy(picture: Pixels): Pixels {
  const grain = noise(picture, 3).data;
  const data = picture.data.map((level, at) => level + Math.round(((grain[at] as number) - 128) / 4));
  return { ...picture, data };
}

/** Every pixel a mean of itself and its neighbours in the row. */
function blurred(picture: Pixels): Pixels {
  const { data, width } = picture;
  const at = (x: number, y: number, channel: number) =>
    data[3 * (y * width + Math.min(width - 1, Math.max(0, x))) + channel] as number;
  return {
    ...picture,
    data: data.map((level, index) => {
      const [x, y] = [Math.floor(index / 3) % width, Math.floor(index / 3 / width)];
      return level / 2 + (at(x - 1, y, index % 3) + at(x + 1, y, index % 3)) / 4;
    }),
  };
}

/** What every model that restores faces does, whatever its family. */
export function faceRestoreContract(name: string, load: () => Promise<LoadedModel>): void {
  const using = withModel(load, 'face-restoration');

  describe(`${name} as a model that restores faces`, () => {
    test('gives a face of the size it takes, the same twice, and leaves what it was given alone', () =>
      using(async (model: FaceRestoreModel) => {
        const face = noise({ width: model.size, height: model.size }, 3);
        const before = face.data.slice();
        const restored = await model.restore(face);
        expect(restored).toMatchObject({ width: model.size, height: model.size, channels: 3 });
        expect(restored.data).toHaveLength(face.data.length);
        expect((await model.restore(face)).data).toEqual(restored.data);
        expect(face.data).toEqual(before);
      }));
  });
}

/** What every model that gives colours does, whatever its family. */
export function colourContract(name: string, load: () => Promise<LoadedModel>): void {
  const using = withModel(load, 'colorization');

  describe(`${name} as a model that gives colours`, () => {
    test('gives a and b of the size it takes, the same twice', () =>
      using(async (model: ColourModel) => {
        const picture = noise(model.size, 3);
        const { a, b } = await model.predict(picture);
        for (const plane of [a, b]) {
          expect(plane).toMatchObject(model.size);
          expect(plane.data).toHaveLength(model.size.width * model.size.height);
          for (const value of plane.data) if (!(Math.abs(value) <= 200)) expect.fail(`a colour of ${value}`);
        }
        expect(await model.predict(picture)).toEqual({ a, b });
      }));

    test('looks at nothing but lightness', () =>
      using(async (model: ColourModel) => {
        const red = paint(model.size, 3, () => [255, 0, 0]);
        // The grey of the same luminance, 0.2126 of white.
        const grey = paint(model.size, 3, () => [127, 127, 127]);
        const [one, other] = [await model.predict(red), await model.predict(grey)];
        for (let at = 0; at < one.a.data.length; at += 97) {
          expect(Math.abs((one.a.data[at] as number) - (other.a.data[at] as number))).toBeLessThan(1);
        }
      }));
  });
}

/** Marks every third group of five columns. */
function stripes({ width, height }: Size): Pixels {
  const data = Uint8Array.from({ length: width * height }, (_, at) =>
    Math.floor((at % width) / 5) % 3 === 0 ? 255 : 0,
  );
  return { data, width, height, channels: 1 };
}

function known({ data }: Pixels, mask: Pixels): Uint8Array {
  return data.filter((_, at) => mask.data[Math.floor(at / 3)] === 0);
}

function withModel<Task extends LoadedModel['task']>(load: () => Promise<LoadedModel>, task: Task) {
  type Model = Extract<LoadedModel, { task: Task }>['model'];
  return async (check: (model: Model) => Promise<void>): Promise<void> => {
    const loaded = await load();
    try {
      expect(loaded).toMatchObject({ task, device: 'cpu', bytes: expect.any(Number) });
      await check(loaded.model as Model);
    } finally {
      await loaded.release();
    }
  };
}
