import type { Pixels } from '../../engine/media/media.js';
import { distinctFaces } from './distinct-faces.js';
import type { Face, FaceModel } from '../model.js';

/** Longest side of a picture in which faces are looked for: those of less than a hundredth of it would be too small to mend. */
export const searchSide = 1280;

/** Windows overlap by this share of their side, so that a face which ends with one is whole in the next. */
const overlap = 0.2;

/**
 * The faces in a picture (3 channels, longest side at most `searchSide`), the surest first: looked for in windows of the
 * detector's size, and in the picture at half and at a quarter, where a face that fills it has a size the detector knows.
 */
export async function findFaces(
  model: FaceModel,
  picture: Pixels,
  checkpoint: (fraction: number) => void,
): Promise<Face[]> {
  const half = halved(picture);
  const looks = [picture, half, halved(half)].flatMap((level, index) =>
    windowsOf(level, model).map((window) => ({ level, window, factor: 2 ** index })),
  );
  const found: Face[] = [];
  for (const [index, { level, window, factor }] of looks.entries()) {
    checkpoint(index / looks.length);
    const faces = await model.detect(crop(level, window));
    found.push(...faces.filter((face) => !isCutOff(face, window, level)).map((face) => placed(face, window, factor)));
  }
  return distinctFaces(found);
}

/** The mean of every 2 × 2 pixels; an odd last column or row is left out, and a side of 1 stays. */
function halved({ data, width, height }: Pixels): Pixels {
  const small = { width: Math.max(1, width >> 1), height: Math.max(1, height >> 1) };
  const result = new Uint8Array(3 * small.width * small.height);
  const [right, below] = [width > 1 ? 3 : 0, height > 1 ? 3 * width : 0];
  for (let y = 0, to = 0; y < small.height; y++) {
    for (let from = 3 * 2 * y * width, x = 0; x < small.width; x++, from += 6) {
      for (let at = from; at < from + 3; at++, to++) {
        const upper = (data[at] as number) + (data[at + right] as number);
        const lower = (data[at + below] as number) + (data[at + below + right] as number);
        result[to] = (upper + lower + 2) >> 2;
      }
    }
  }
  return { data: result, ...small, channels: 3 };
}

interface Window {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** As few windows as cover the picture. */
function windowsOf(picture: Pixels, { size }: FaceModel): Window[] {
  const [width, height] = [Math.min(size.width, picture.width), Math.min(size.height, picture.height)];
  return startsAlong(picture.height, height).flatMap((top) =>
    startsAlong(picture.width, width).map((left) => ({ left, top, width, height })),
  );
}

function startsAlong(length: number, window: number): number[] {
  const count = Math.ceil((length - window) / (window * (1 - overlap))) + 1;
  return Array.from({ length: count }, (_, index) => Math.round((index * (length - window)) / Math.max(1, count - 1)));
}

function crop({ data, width }: Pixels, window: Window): Pixels {
  const result = new Uint8Array(3 * window.width * window.height);
  for (let y = 0; y < window.height; y++) {
    const from = 3 * ((window.top + y) * width + window.left);
    result.set(data.subarray(from, from + 3 * window.width), 3 * y * window.width);
  }
  return { data: result, width: window.width, height: window.height, channels: 3 };
}

/** Whether a face touches a border of the window that is none of the picture. */
function isCutOff({ left, top, width, height }: Face, window: Window, picture: Pixels): boolean {
  return (
    (left < 0 && window.left > 0) ||
    (top < 0 && window.top > 0) ||
    (left + width > window.width && window.left + window.width < picture.width) ||
    (top + height > window.height && window.top + window.height < picture.height)
  );
}

/** A face of a window of a smaller picture in pixels of the whole one. */
function placed(face: Face, { left, top }: Window, factor: number): Face {
  const point = ({ x, y }: { x: number; y: number }) => ({ x: (x + left) * factor, y: (y + top) * factor });
  const [first, second, third, fourth, fifth] = face.landmarks;
  const corner = point({ x: face.left, y: face.top });
  return {
    left: corner.x,
    top: corner.y,
    width: face.width * factor,
    height: face.height * factor,
    score: face.score,
    landmarks: [point(first), point(second), point(third), point(fourth), point(fifth)],
  };
}
