import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findFaces, searchSide } from '#src/models/faces/face-finder.js';
import { type LoadedModel, loadModel } from '#src/models/load.js';
import type { FaceModel } from '#src/models/model.js';
import { paint } from '../../helpers/pictures.js';
import { tempFolderOfFile } from '../../helpers/temp-folder.js';
import { markColour, markLandmarks, tinyFaceDetector } from '../../helpers/tiny-faces.js';
import { install } from '../../helpers/tiny-models.js';

const tiny = tinyFaceDetector();

let loaded: LoadedModel;
beforeAll(async () => {
  const folder = await tempFolderOfFile();
  await install(tiny, folder);
  loaded = await loadModel(tiny.entry, { folder, device: 'cpu', threads: 1 });
});
afterAll(() => loaded.release());

function detector() {
  if (loaded.task !== 'face-detection') throw new Error(`Expected a model for faces, got one for ${loaded.task}`);
  return loaded.model;
}

/** A picture with marks of this side, each with its corner at one of these places. */
function marked(size: { width: number; height: number }, places: readonly [number, number][], side = 32) {
  return paint(size, 3, (x, y) =>
    places.some(([left, top]) => x >= left && x < left + side && y >= top && y < top + side)
      ? markColour
      : [70, 70, 70],
  );
}

describe('findFaces', () => {
  test('finds faces in every window of a large picture, each once, in pixels of the whole', async () => {
    const places: [number, number][] = [
      [64, 64],
      [608, 608],
      [1152, 96],
      [640, 1184],
    ];
    const fractions: number[] = [];
    const picture = marked({ width: searchSide, height: searchSide }, places);
    const faces = await findFaces(detector(), picture, (fraction) => void fractions.push(fraction));
    const eyes = faces.map(({ landmarks: [eye] }) => [eye.x, eye.y].map(Math.round));
    const expected = places.map(([x, y]) => [x + (markLandmarks[0]?.x ?? 0), y + (markLandmarks[0]?.y ?? 0)]);
    expect(eyes.toSorted()).toEqual(expected.toSorted());
    // Nine windows, the half and the quarter.
    expect(fractions).toHaveLength(11);
  });

  test('finds a face that is too large for the detector in a copy of a quarter of the size', async () => {
    const nowhere = { x: 10, y: 20 };
    const box = { left: 30, top: 40, width: 50, height: 60, score: 0.9 };
    const small: FaceModel = {
      id: 'knows small pictures only',
      size: { width: 640, height: 640 },
      detect: async ({ width }) =>
        width > 160 ? [] : [{ ...box, landmarks: [nowhere, nowhere, nowhere, nowhere, nowhere] }],
    };
    const [face, ...others] = await findFaces(small, marked({ width: 600, height: 500 }, []), () => {});
    expect(others).toEqual([]);
    expect(face).toMatchObject({ left: 120, top: 160, width: 200, height: 240, score: 0.9 });
    expect(face?.landmarks[4]).toEqual({ x: 40, y: 80 });
  });

  test.each([
    [1, 1],
    [1, 300],
    [641, 5],
  ])('takes a picture of %d × %d', async (width, height) => {
    expect(await findFaces(detector(), marked({ width, height }, []), () => {})).toEqual([]);
  });
});
