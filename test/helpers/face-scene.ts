import type { Pixels } from '#src/engine/media/media.js';
import type { Face, Point } from '#src/models/model.js';
import { inverse, moved, type Similarity } from '#src/models/faces/similarity.js';
import { paint } from './pictures.js';

/** Where the landmarks are in a face aligned as in FFHQ, of 512 × 512: eyes, nose, mouth. */
export const aligned: readonly Point[] = [
  { x: 193, y: 240 },
  { x: 319, y: 240 },
  { x: 256.6, y: 314 },
  { x: 201.3, y: 371.4 },
  { x: 313.1, y: 371.2 },
];

/** A face whose landmarks are brought by `back` to where they are in a picture. */
export function faceAt(back: Similarity): Face {
  const [first, second, third, fourth, fifth] = aligned.map((point) => moved(back, point)) as [
    Point,
    Point,
    Point,
    Point,
    Point,
  ];
  const scale = Math.hypot(back.a, back.b);
  const middle = moved(back, { x: 256, y: 290 });
  const side = 260 * scale;
  return {
    left: middle.x - side / 2,
    top: middle.y - side / 2,
    width: side,
    height: side,
    score: 0.9,
    landmarks: [first, second, third, fourth, fifth],
  };
}

/** A skin-coloured picture with a dark soft spot on each landmark, `radius` pixels wide. */
export function spotted(size: { width: number; height: number }, { landmarks }: Face, radius: number): Pixels {
  return paint(size, 3, (x, y) => {
    const dark = landmarks.reduce(
      (sum, point) => sum + Math.exp(-((x + 0.5 - point.x) ** 2 + (y + 0.5 - point.y) ** 2) / (2 * radius ** 2)),
      0,
    );
    return [210 - 120 * dark, 170 - 120 * dark, 140 - 120 * dark];
  });
}

/** The way from a picture, in which a face is turned, scaled and moved, to the aligned one. */
export function wayTo({ turn, scale, x, y }: { turn: number; scale: number; x: number; y: number }): {
  back: Similarity;
  there: Similarity;
} {
  const back = { a: scale * Math.cos(turn), b: scale * Math.sin(turn), dx: x, dy: y };
  return { back, there: inverse(back) };
}
