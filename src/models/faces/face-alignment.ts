import type { Face, Point } from '../model.js';
import { fitSimilarity, moved, type Similarity } from './similarity.js';

/** Where FFHQ's alignment puts the landmarks of a face, in a picture of 512 × 512 (the mean over its faces, as facexlib has it). */
const places: readonly Point[] = [
  { x: 192.98138, y: 239.94708 },
  { x: 318.90277, y: 240.1936 },
  { x: 256.63416, y: 314.01935 },
  { x: 201.26117, y: 371.41043 },
  { x: 313.08905, y: 371.15118 },
];
const placesSide = 512;

/** How far landmarks may be off on average, in parts of the side: a face in profile, or none, fits no better. */
const mostOff = 0.07;

/** What brings a face to where its restorer wants it, in a picture of `side` × `side`; null if its landmarks are not those of a face seen from the front. */
export function alignFace({ landmarks }: Face, side: number): Similarity | null {
  const goals = places.map(({ x, y }) => ({ x: (x * side) / placesSide, y: (y * side) / placesSide }));
  const found = fitSimilarity(landmarks, goals);
  const off = landmarks.reduce((sum, point, index) => sum + distance(moved(found, point), goals[index] as Point), 0);
  return off / landmarks.length <= mostOff * side ? found : null;
}

function distance(one: Point, other: Point): number {
  return Math.hypot(one.x - other.x, one.y - other.y);
}
