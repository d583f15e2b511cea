import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Pixels } from '#src/engine/media/media.js';
import { findFaces } from '#src/models/faces/face-finder.js';
import { type LoadedModel, loadModel } from '#src/models/load.js';
import { type ModelEntry, readLockfile } from '#src/models/lockfile.js';
import type { FaceModel } from '#src/models/model.js';
import { lockfilePath } from '#src/models/files/weights.js';
import { paint } from '../helpers/pictures.js';
import { sharedFiles } from '../helpers/shared.js';
import { tempFolderOfFile } from '../helpers/temp-folder.js';
import { markBox, markColour, markLandmarks, tinyFaceDetector } from '../helpers/tiny-faces.js';
import { install, type TinyModel } from '../helpers/tiny-models.js';
import { faceContract } from './model-contract.js';

const free = tinyFaceDetector();
const fixed = withId(tinyFaceDetector({ sides: [640, 640] }), 'tiny-yunet-640');

let folder: string;
beforeAll(async () => {
  folder = await tempFolderOfFile();
  for (const tiny of [free, fixed]) await install(tiny, folder);
});

function load(entry: ModelEntry, home = folder): Promise<LoadedModel> {
  return loadModel(entry, { folder: home, device: 'cpu', threads: 1 });
}

function withId(tiny: TinyModel, id: string): TinyModel {
  return { ...tiny, entry: { ...tiny.entry, id } };
}

for (const { entry } of [free, fixed]) faceContract(entry.id, () => load(entry));

async function using(loading: Promise<LoadedModel>, check: (model: FaceModel) => Promise<void>): Promise<void> {
  const loaded = await loading;
  try {
    if (loaded.task !== 'face-detection') throw new Error(`Expected a model for faces, got one for ${loaded.task}`);
    await check(loaded.model);
  } finally {
    await loaded.release();
  }
}

describe('a model of the family yunet', () => {
  test.each([free, fixed])('$entry.id reads box and landmarks from the place in the map', ({ entry }) =>
    using(load(entry), async (model) => {
      const isMark = (x: number, y: number) => x >= 96 && x < 128 && y >= 64 && y < 96;
      const picture = paint({ width: 250, height: 190 }, 3, (x, y) => (isMark(x, y) ? markColour : [90, 90, 90]));
      const [face, ...others] = await model.detect(picture);
      expect(others).toEqual([]);
      expect(face?.score).toBeCloseTo(1, 3);
      const [left, top] = [96 + markBox.x - markBox.side / 2, 64 + markBox.y - markBox.side / 2];
      expect(face?.left).toBeCloseTo(left, 2);
      expect(face?.top).toBeCloseTo(top, 2);
      expect(face?.width).toBeCloseTo(markBox.side, 2);
      for (const [index, { x, y }] of markLandmarks.entries()) {
        expect(face?.landmarks[index]?.x).toBeCloseTo(96 + x, 2);
        expect(face?.landmarks[index]?.y).toBeCloseTo(64 + y, 2);
      }
    }),
  );

  test('is not sure of a colour that is nearly the right one', () =>
    using(load(free.entry), async (model) => {
      const picture = paint({ width: 64, height: 64 }, 3, () => [80, 255, 80]);
      expect(await model.detect(picture)).toEqual([]);
    }));
});

describe('the real weights beside the repository', () => {
  const weights = sharedFiles('weights/face', 'yunet_n_dynamic.onnx')[0];
  const portraits = [
    ['images/cc0', 'astronaut.png', 1],
    ['images/kodak', '15.png', 1],
    ['images/gb82', 'baby-lossless.png', 2],
    ['images/cc0', 'chelsea.png', 0],
    ['images/clothing', 'dress-5a2b4bbf.jpg', 0],
  ] as const;
  const isHere = weights !== undefined && portraits.every(([place, name]) => sharedFiles(place, name).length > 0);
  if (!isHere) return test.skip('need ../shared, which is not here', () => {});

  const real = async () => load(await entryFor(weights), dirname(dirname(weights)));
  faceContract('yunet_n', real);

  test.each(portraits)('find in %s/%s %d faces, eyes above noses above mouths', (place, name, count) =>
    using(real(), async (model) => {
      const faces = await findFaces(model, await decode(sharedFiles(place, name)[0] ?? ''), () => {});
      expect(faces).toHaveLength(count);
      for (const { landmarks, left, width } of faces) {
        const [eye, otherEye, nose, mouth, otherMouth] = landmarks;
        expect(eye.x < otherEye.x && mouth.x < otherMouth.x && eye.y < nose.y && nose.y < mouth.y).toBe(true);
        expect(landmarks.every(({ x }) => x > left && x < left + width)).toBe(true);
      }
    }),
  );

  test('find the eyes of the astronaut, also at a third of her size', () =>
    using(real(), async (model) => {
      const path = sharedFiles('images/cc0', 'astronaut.png')[0] ?? '';
      for (const side of [512, 170]) {
        const [face] = await findFaces(model, await decode(path, side), () => {});
        // Read from the picture by eye.
        for (const [index, { x, y }] of [
          { x: 202, y: 103 },
          { x: 243, y: 103 },
        ].entries()) {
          expect(Math.abs((face?.landmarks[index]?.x ?? 0) * (512 / side) - x)).toBeLessThan(8);
          expect(Math.abs((face?.landmarks[index]?.y ?? 0) * (512 / side) - y)).toBeLessThan(8);
        }
      }
    }));
});

async function decode(path: string, side?: number): Promise<Pixels> {
  const { data, info } = await sharp(path)
    .resize(side)
    .removeAlpha()
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { data: new Uint8Array(data), width: info.width, height: info.height, channels: 3 };
}

/** The entry of the lock file for a file as it lies there, which takes pictures of any size: its folder stands in for the id. */
async function entryFor(path: string): Promise<ModelEntry> {
  const bytes = await readFile(path);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const entry = readLockfile(lockfilePath).models.find(({ id }) => id === 'yunet');
  if (!entry) throw new Error('No yunet in the lock file');
  return {
    ...entry,
    id: basename(dirname(path)),
    files: [{ name: basename(path), url: null, bytes: bytes.length, sha256 }],
    inputs: entry.inputs.map((input) => ({ ...input, shape: [1, 3, 'h', 'w'] })),
  };
}
