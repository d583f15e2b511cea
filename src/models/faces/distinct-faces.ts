import type { Face } from '../model.js';

type Box = Pick<Face, 'left' | 'top' | 'width' | 'height'>;

/** Two boxes that share more of what both cover are one face, as OpenCV's FaceDetectorYN has it. */
const mostShared = 0.3;

/** A box of which the other covers more than this is a part of the same face, cut off where a window ended. */
const mostCovered = 0.6;

/** Each face once, the surest first (greedy non-maximum suppression). */
export function distinctFaces(faces: readonly Face[]): Face[] {
  const kept: Face[] = [];
  for (const face of faces.toSorted((one, other) => other.score - one.score)) {
    if (!kept.some((known) => isSame(known, face))) kept.push(face);
  }
  return kept;
}

function isSame(one: Box, other: Box): boolean {
  const across = Math.min(one.left + one.width, other.left + other.width) - Math.max(one.left, other.left);
  const down = Math.min(one.top + one.height, other.top + other.height) - Math.max(one.top, other.top);
  if (across <= 0 || down <= 0) return false;
  const shared = across * down;
  const [area, otherArea] = [one.width * one.height, other.width * other.height];
  return shared > mostShared * (area + otherArea - shared) || shared > mostCovered * Math.min(area, otherArea);
}
