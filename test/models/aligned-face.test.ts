import { beforeAll, describe, expect, test } from 'vitest';
import type { Pixels } from '#src/engine/media/media.js';
import { alignFace } from '#src/models/faces/face-alignment.js';
import { cropFace } from '#src/models/faces/face-crop.js';
import { patchFace } from '#src/models/faces/face-patch.js';
import { loadModel } from '#src/models/load.js';
import type { FaceRestoreModel } from '#src/models/model.js';
import type { Similarity } from '#src/models/faces/similarity.js';
import { faceAt, spotted, wayTo } from '../helpers/face-scene.js';
import { noise, readerOf } from '../helpers/pictures.js';
import { tempFolderOfFile } from '../helpers/temp-folder.js';
import { tinyFaceRestorer } from '../helpers/tiny-faces.js';
import { install, type TinyModel } from '../helpers/tiny-models.js';
import { faceRestoreContract } from './model-contract.js';

const [same, stronger] = [tinyFaceRestorer(), tinyFaceRestorer({ gain: 1.5 })];

let folder: string;
beforeAll(async () => {
  folder = await tempFolderOfFile();
  for (const tiny of [same, stronger]) await install(tiny, folder);
});

for (const { entry } of [same, stronger]) {
  faceRestoreContract(entry.id, () => loadModel(entry, { folder, device: 'cpu', threads: 1 }));
}

async function using<T>({ entry }: TinyModel, check: (model: FaceRestoreModel) => Promise<T>): Promise<T> {
  const loaded = await loadModel(entry, { folder, device: 'cpu', threads: 1 });
  try {
    if (loaded.task !== 'face-restoration') throw new Error(`Expected a face restorer, got one for ${loaded.task}`);
    return await check(loaded.model);
  } finally {
    await loaded.release();
  }
}

describe('a model of the family aligned-face', () => {
  test('is given samples of -1 to 1 and gives them back as they are', () =>
    using(same, async (model) => {
      const face = noise({ width: model.size, height: model.size }, 3);
      expect((await model.restore(face)).data).toEqual(face.data);
    }));

  test('has what is beyond black and white clipped', () =>
    using(stronger, async (model) => {
      const data = Uint8Array.from({ length: 3 * model.size ** 2 }, (_, at) => [0, 128, 255][at % 3] as number);
      const { data: restored } = await model.restore({ data, width: model.size, height: model.size, channels: 3 });
      expect([...restored.subarray(0, 3)]).toEqual([0, 128, 255]);
    }));
});

const size = { width: 300, height: 280 };
const place = wayTo({ turn: 0.25, scale: 0.45, x: 70, y: 10 });
const face = faceAt(place.back);

/** The picture with the face in it restored by the model, read in bands of 50 rows. */
async function mended(picture: Pixels, tiny: TinyModel, amount: number): Promise<Pixels> {
  return using(tiny, async (model) => {
    const alignment = alignFace(face, model.size) as Similarity;
    const source = readerOf(picture);
    const crop = await cropFace(source, alignment, model.size);
    const patch = await patchFace(crop, model, { alignment, picture });
    const result = { ...picture, data: picture.data.slice() };
    const stride = picture.width * picture.channels;
    for (let top = 0; top < picture.height; top += 50) {
      const height = Math.min(50, picture.height - top);
      patch.apply(
        { ...result, height, data: result.data.subarray(top * stride, (top + height) * stride) },
        top,
        amount,
      );
    }
    return result;
  });
}

describe('patchFace', () => {
  test('leaves a picture as it is, to the last bit, when the restorer returns its input', async () => {
    const picture = noise(size, 3);
    expect((await mended(picture, same, 1)).data).toEqual(picture.data);
  });

  test('changes the face by its strength, and nothing far from it', async () => {
    const picture = spotted(size, face, 5);
    const [half, full] = [await mended(picture, stronger, 0.5), await mended(picture, stronger, 1)];
    const eye = face.landmarks[0];
    const at = 3 * (Math.floor(eye.y) * size.width + Math.floor(eye.x));
    const change = (result: Pixels) => (result.data[at] ?? 0) - (picture.data[at] ?? 0);
    expect(change(full)).toBeLessThan(-20);
    expect(Math.abs(change(half) - change(full) / 2)).toBeLessThanOrEqual(1);
    const corners = [0, 3 * (size.width - 1), picture.data.length - 3];
    for (const corner of corners) expect(full.data[corner]).toBe(picture.data[corner]);
  });

  test('keeps the light and the colours of the face, whatever the restorer makes of them', async () => {
    const { data: plain } = spotted(size, { ...face, landmarks: [] as unknown as typeof face.landmarks }, 5);
    const picture: Pixels = { ...size, data: plain, channels: 3 };
    const result = await mended(picture, stronger, 1);
    const furthest = result.data.reduce((most, value, at) => Math.max(most, Math.abs(value - (plain[at] ?? 0))), 0);
    expect(furthest).toBeLessThanOrEqual(1);
  });

  test('leaves alpha alone', async () => {
    const { data } = spotted(size, face, 5);
    const clear = new Uint8Array(4 * size.width * size.height).map((_, at) =>
      at % 4 === 3 ? (at >> 2) % 256 : (data[3 * (at >> 2) + (at % 4)] ?? 0),
    );
    const result = await mended({ ...size, data: clear, channels: 4 }, stronger, 1);
    expect(result.data.filter((_, at) => at % 4 === 3)).toEqual(clear.filter((_, at) => at % 4 === 3));
    expect(result.data).not.toEqual(clear);
  });
});
