import { z } from 'zod';
import type { Pixels, Size } from '../engine/media/media.js';
import { distinctFaces } from './faces/distinct-faces.js';
import { planes } from './family-tensors.js';
import { type ModelEntry, readConstants } from './lockfile.js';
import type { Face, ModelFamily, Point } from './model.js';
import type { TensorData } from './session.js';
import { pictureTensors, samples } from './signature.js';

const constants = z.strictObject({
  /** Of which both sides of the picture are multiples, where the network takes any size: its coarsest stride. */
  multiple: z.int().positive().multipleOf(32),
});

/** Side of the largest picture for a network that takes any: it was trained on faces of 10 to 300 pixels at this size. */
const usualSide = 640;

/** Pixels between the places of its three maps. */
const strides = [8, 16, 32];

/**
 * On Kodak's, gb82's, scikit-image's and CLIC's photographs faces of 20 pixels and more that look at the camera score 0.85
 * to 0.96, smaller, half hidden and turned ones 0.6 to 0.9; cats and lemurs reach 0.67, lamps and leaves 0.72.
 */
const leastScore = 0.75;

/**
 * YuNet (Wu, Peng, Yu: "YuNet: a tiny millisecond-level face detector", 2023) as OpenCV's FaceDetectorYN runs it: BGR
 * planes of 0..255 [1, 3, H, W] in; for each of three strides, per place, how sure it is of a face (`cls`) and of its box
 * (`obj`), the box, and five landmarks out.
 */
export const yunet: ModelFamily = {
  name: 'yunet',
  task: 'face-detection',
  constants,
  takes: [planes(3)],
  gives: Array.from({ length: 12 }, () => ({ types: ['float32'], shape: [null, null, null] }) as const),
  wrap(entry, session) {
    const { multiple } = readConstants(entry, constants);
    const { input } = pictureTensors(entry);
    const fixed = fixedSize(entry);
    const size = fixed ?? { width: usualSide, height: usualSide };
    return {
      id: entry.id,
      size,
      async detect(pixels) {
        const padded = fixed ?? { width: roundUp(pixels.width, multiple), height: roundUp(pixels.height, multiple) };
        const dims = [1, 3, padded.height, padded.width];
        const results = await session.run({ [input]: { type: 'float32', data: toBgr(pixels, padded), dims } });
        return distinctFaces(strides.flatMap((stride) => readMap(entry, results, { stride, size: padded })));
      },
    };
  },
};

/** The size of the network's input; null if it takes any. */
function fixedSize({ inputs }: ModelEntry): Size | null {
  const [, , height, width] = inputs[0]?.shape ?? [];
  return typeof height === 'number' && typeof width === 'number' ? { width, height } : null;
}

function roundUp(length: number, multiple: number): number {
  return Math.ceil(length / multiple) * multiple;
}

/** Float planes of the picture, with black to its right and below. */
function toBgr({ data, width, height }: Pixels, padded: Size): Float32Array {
  const area = padded.width * padded.height;
  const planes = new Float32Array(3 * area);
  for (let y = 0, from = 0; y < height; y++) {
    for (let x = 0, at = y * padded.width; x < width; x++, at++, from += 3) {
      planes[at] = data[from + 2] as number;
      planes[at + area] = data[from + 1] as number;
      planes[at + 2 * area] = data[from] as number;
    }
  }
  return planes;
}

interface MapPlace {
  stride: number;
  /** Of the network's input. */
  size: Size;
}

function readMap(entry: ModelEntry, results: Record<string, TensorData>, { stride, size }: MapPlace): Face[] {
  const columns = size.width / stride;
  const places = columns * (size.height / stride);
  const read = (name: string, values: number) =>
    samples(entry, results[`${name}_${stride}`], { type: Float32Array, length: places * values });
  const [classes, objects, boxes, points] = [read('cls', 1), read('obj', 1), read('bbox', 4), read('kps', 10)];
  const faces: Face[] = [];
  for (let at = 0; at < places; at++) {
    const score = Math.sqrt(unit(classes[at]) * unit(objects[at]));
    if (score < leastScore) continue;
    const origin = { x: at % columns, y: Math.floor(at / columns) };
    const point = (values: Float32Array, index: number): Point => ({
      x: (origin.x + (values[index] as number)) * stride,
      y: (origin.y + (values[index + 1] as number)) * stride,
    });
    const centre = point(boxes, 4 * at);
    const [width, height] = [
      stride * Math.exp(boxes[4 * at + 2] as number),
      stride * Math.exp(boxes[4 * at + 3] as number),
    ];
    const landmark = (index: number) => point(points, 10 * at + 2 * index);
    faces.push({
      left: centre.x - width / 2,
      top: centre.y - height / 2,
      width,
      height,
      score,
      landmarks: [landmark(0), landmark(1), landmark(2), landmark(3), landmark(4)],
    });
  }
  return faces;
}

function unit(value = 0): number {
  return Math.min(1, Math.max(0, value));
}
