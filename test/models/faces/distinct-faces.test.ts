import { expect, test } from 'vitest';
import { distinctFaces } from '#src/models/faces/distinct-faces.js';
import type { Face } from '#src/models/model.js';

const nowhere = { x: 0, y: 0 };

function face(left: number, width: number, score: number): Face {
  return { left, top: 0, width, height: width, score, landmarks: [nowhere, nowhere, nowhere, nowhere, nowhere] };
}

test('distinctFaces keeps of overlapping faces the surest, and of neighbours both', () => {
  const [sure, shifted, neighbour] = [face(0, 100, 0.9), face(30, 100, 0.8), face(80, 100, 0.7)];
  expect(distinctFaces([neighbour, shifted, sure])).toEqual([sure, neighbour]);
});

test('distinctFaces takes a box inside of another for a part of it', () => {
  const [whole, part] = [face(0, 100, 0.9), face(10, 40, 0.85)];
  expect(distinctFaces([part, whole])).toEqual([whole]);
  expect(distinctFaces([whole, face(200, 40, 0.85)])).toHaveLength(2);
});
