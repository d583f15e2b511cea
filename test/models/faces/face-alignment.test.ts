import { describe, expect, test } from 'vitest';
import { alignFace } from '#src/models/faces/face-alignment.js';
import { cropFace } from '#src/models/faces/face-crop.js';
import type { Similarity } from '#src/models/faces/similarity.js';
import { aligned, faceAt, spotted, wayTo } from '../../helpers/face-scene.js';
import { paint, readerOf } from '../../helpers/pictures.js';

describe('alignFace', () => {
  test.each([
    { turn: 0, scale: 0.5, x: 30, y: 12 },
    { turn: 0.4, scale: 0.21, x: 120, y: 40 },
    { turn: -2.8, scale: 3.3, x: 1900, y: 1700 },
  ])('finds the way of a face that is turned, scaled and moved: %j', (place) => {
    const { back, there } = wayTo(place);
    const found = alignFace(faceAt(back), 512);
    for (const key of ['a', 'b'] as const) expect(found?.[key]).toBeCloseTo(there[key], 2);
  });

  test('refuses landmarks that no face seen from the front has', () => {
    const face = faceAt(wayTo({ turn: 0, scale: 0.5, x: 0, y: 0 }).back);
    const [eye, otherEye, nose, mouth, otherMouth] = face.landmarks;
    expect(alignFace({ ...face, landmarks: [otherEye, eye, nose, mouth, otherMouth] }, 512)).toBeNull();
    expect(alignFace({ ...face, landmarks: [eye, eye, eye, eye, eye] }, 512)).toBeNull();
    const profile = { x: nose.x + 70, y: nose.y };
    expect(alignFace({ ...face, landmarks: [eye, otherEye, profile, mouth, otherMouth] }, 512)).toBeNull();
  });
});

describe('cropFace', () => {
  test.each([
    { turn: 0, scale: 0.4, x: 20, y: 10 },
    { turn: 0.3, scale: 0.9, x: 160, y: 20 },
    { turn: -0.5, scale: 2.6, x: 90, y: 640 },
    { turn: 3.1, scale: 1.4, x: 800, y: 780 },
  ])('brings every landmark to its place within a quarter of a pixel: %j', async (place) => {
    const { back } = wayTo(place);
    const face = faceAt(back);
    const size = { width: 1500, height: 1400 };
    const source = readerOf(spotted(size, face, 9 * place.scale));
    const crop = await cropFace(source, alignFace(face, 512) as Similarity, 512);
    for (const { x, y } of aligned) {
      const found = centreOfDarkness(crop.data, { x, y });
      expect(Math.abs(found.x - x)).toBeLessThan(0.25);
      expect(Math.abs(found.y - y)).toBeLessThan(0.25);
    }
    // However large the face is, rows come a few at a time.
    expect(Math.max(...source.reads)).toBeLessThanOrEqual(64);
  });

  test('is mirrored beyond the borders of the picture', async () => {
    // Twice as large as the picture, whose corner comes to 20, 10.
    const way = { a: 2, b: 0, dx: 20, dy: 10 };
    const picture = paint({ width: 40, height: 30 }, 3, (x, y) => [5 * x, 7 * y, 90]);
    const crop = await cropFace(readerOf(picture), way, 128);
    const at = (x: number, y: number) => [...crop.data.subarray(3 * (y * 128 + x), 3 * (y * 128 + x) + 3)];
    expect(crop).toMatchObject({ width: 128, height: 128, channels: 3 });
    for (const [x, y] of [
      [0, 0],
      [13, 4],
      [19, 9],
    ] as const) {
      expect(at(x, y)).toEqual(at(39 - x, 19 - y));
    }
    expect(at(110, 80)).toEqual(at(2 * 100 - 1 - 110, 2 * 70 - 1 - 80));
  });
});

/** Of the 512 × 512 picture, around a place; in pixels from its edges. */
function centreOfDarkness(data: Uint8Array, { x, y }: { x: number; y: number }): { x: number; y: number } {
  let [sum, sumX, sumY] = [0, 0, 0];
  for (let row = Math.round(y) - 28; row < Math.round(y) + 28; row++) {
    for (let column = Math.round(x) - 28; column < Math.round(x) + 28; column++) {
      const dark = Math.max(0, 205 - (data[3 * (row * 512 + column)] ?? 0));
      sum += dark;
      sumX += dark * (column + 0.5);
      sumY += dark * (row + 0.5);
    }
  }
  return { x: sumX / sum, y: sumY / sum };
}
