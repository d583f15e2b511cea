import type { Pixels, Size } from '../../engine/media/media.js';
import { boxAround } from './face-crop.js';
import type { Box } from '../filling/holes.js';
import { blurColours } from '../filling/layer.js';
import type { FaceRestoreModel, Point } from '../model.js';
import { inverse, moved, type Similarity, scaled, scaleOf } from './similarity.js';
import { type Colours, createSampler } from './warp-sampler.js';

/** What is to be added to the pixels of a picture so that a face in it becomes the restored one. */
export interface FacePatch extends Box {
  /** Adds `amount` of it (0..1) to rows of the picture that begin at `top`, in place; alpha is left alone. */
  apply(rows: Pixels, top: number, amount: number): void;
}

/**
 * Restores a face that was cropped by `alignment` out of a picture of `picture`'s size. Only the difference that restoring
 * made is carried back: a restorer that returns its input leaves the picture as it was to the last bit, and what is finer
 * in a large face than the crop can show stays.
 */
export async function patchFace(
  crop: Pixels,
  model: FaceRestoreModel,
  { alignment, picture }: { alignment: Similarity; picture: Size },
): Promise<FacePatch> {
  const change = changeOf(crop, await model.restore(crop));
  const factor = Math.max(1, Math.floor(scaleOf(alignment)));
  const small = shrunk({ data: change, width: crop.width, height: crop.height }, factor);
  const toPatch = scaled(alignment, 1 / factor);
  const box = boxAround(rimOf(alignment, crop.width), picture);
  const sample = createSampler(small, toPatch);
  return {
    ...box,
    apply(rows, top, amount) {
      const [first, end] = [Math.max(top, box.top), Math.min(top + rows.height, box.top + box.height)];
      for (let y = first; y < end; y++) {
        const start = (y - top) * rows.width;
        for (let x = box.left; x < box.left + box.width; x++) {
          const change = sample(x, y);
          const at = (start + x) * rows.channels;
          for (let channel = 0; channel < 3; channel++) {
            const value = (rows.data[at + channel] as number) + amount * (change[channel] as number);
            rows.data[at + channel] = Math.min(255, Math.max(0, Math.round(value)));
          }
        }
      }
    },
  };
}

/** Deviation of the blur, in parts of the side, beyond which colours are those of the picture and not of the restorer. */
const colourReach = 1 / 16;

/** What restoring changed but for drifts of colour and light over more than a few per cent of the face, fading out around it. */
function changeOf({ data, width, height }: Pixels, restored: Pixels): Float32Array {
  const difference = Float32Array.from(restored.data, (value, at) => value - (data[at] as number));
  const drift = blurColours(difference, { width, height }, colourReach * width);
  const result = new Float32Array(difference.length);
  for (let at = 0; at < width * height; at++) {
    const weight = weightAt(((at % width) + 0.5) / width, (Math.floor(at / width) + 0.5) / height);
    for (let index = 3 * at; index < 3 * at + 3; index++)
      result[index] = weight * ((difference[index] as number) - (drift[index] as number));
  }
  return result;
}

/** An ellipse around the faces of FFHQ's alignment, from the hairline to the chin, in parts of the side. */
const oval = { x: 0.5, y: 0.555, across: 0.39, down: 0.44 };

/** The corners around the oval, in the picture. */
function rimOf(alignment: Similarity, side: number): Point[] {
  const back = inverse(alignment);
  const [across, down] = [
    [oval.x - oval.across, oval.x + oval.across],
    [oval.y - oval.down, oval.y + oval.down],
  ];
  return across.flatMap((x) => down.map((y) => moved(back, { x: x * side, y: y * side })));
}

/** What of the way to its rim is the face alone; from there it fades. */
const inner = 0.7;

function weightAt(x: number, y: number): number {
  const radius = Math.hypot((x - oval.x) / oval.across, (y - oval.y) / oval.down);
  const share = Math.min(1, Math.max(0, (1 - radius) / (1 - inner)));
  return share * share * (3 - 2 * share);
}

/** The mean of every `factor` × `factor` pixels; what is left over at the end, where nothing changes, is left out. */
function shrunk({ data, width, height }: Colours, factor: number): Colours {
  if (factor === 1) return { data, width, height };
  const size = { width: Math.floor(width / factor), height: Math.floor(height / factor) };
  const result = new Float32Array(3 * size.width * size.height);
  for (let y = 0; y < size.height * factor; y++) {
    for (let x = 0; x < size.width * factor; x++) {
      const to = 3 * (Math.floor(y / factor) * size.width + Math.floor(x / factor));
      const from = 3 * (y * width + x);
      for (let channel = 0; channel < 3; channel++)
        result[to + channel] = (result[to + channel] as number) + (data[from + channel] as number) / factor ** 2;
    }
  }
  return { data: result, ...size };
}
