import type { Pixels } from '../../engine/media/media.js';

/** What a look at the pixels says of a picture; it must be at its own size, since resizing hides all of it. */
export interface PictureFacts {
  /** Standard deviation of noise in the luma of its smooth parts, 0..255. */
  noise: number;
  /** How much larger steps are on the borders of 8 × 8 blocks than inside of them; 1 without JPEG, 2 at quality 20 or so. */
  blockiness: number;
  /** Share of its strongest edges' contrast that falls between two neighbouring pixels: 0.5 and more is sharp, below 0.2 blurred. */
  sharpness: number;
  /** Share of pixels that equal their neighbours to the right and below, white and black left aside: high in drawings. */
  flatness: number;
}

/** Whether these are the facts of a drawing: seen on drawings, which are flat to 60 %, and on no photograph of Kodak's and gb82's. */
export function isDrawing({ flatness, sharpness }: PictureFacts): boolean {
  return flatness > 0.5 && sharpness > 0.6;
}

/** Measures a part of a picture of 3 or 4 channels; 256 × 256 pixels and more make it reliable. */
export function measurePicture(pixels: Pixels): PictureFacts {
  const luma = lumaOf(pixels);
  return {
    noise: noiseOf(luma, clippedOf(pixels)),
    blockiness: blockinessOf(luma),
    sharpness: sharpnessOf(luma),
    flatness: flatnessOf(luma),
  };
}

interface Luma {
  data: Float32Array;
  width: number;
  height: number;
}

/** BT.601, as JPEG has it. */
function lumaOf({ data, width, height, channels }: Pixels): Luma {
  const luma = new Float32Array(width * height);
  for (let at = 0, from = 0; at < luma.length; at++, from += channels) {
    luma[at] = 0.299 * (data[from] as number) + 0.587 * (data[from + 1] as number) + 0.114 * (data[from + 2] as number);
  }
  return { data: luma, width, height };
}

// What a channel has in the variance of luma when all three have the same noise.
const [red, green, blue] = [0.2, 0.77, 0.03];

/** For each pixel how much of the noise in its luma is cut off at black or white, 0..1. */
function clippedOf({ data, width, height, channels }: Pixels): Float32Array {
  const isClipped = (at: number) => (data[at] === 0 || data[at] === 255 ? 1 : 0);
  const clipped = new Float32Array(width * height);
  for (let at = 0, from = 0; at < clipped.length; at++, from += channels) {
    clipped[at] = red * isClipped(from) + green * isClipped(from + 1) + blue * isClipped(from + 2);
  }
  return clipped;
}

// Of noise around white, half of it cut off, a deviation of 0.584 is left; for a share c that is cut off it is 1 − 0.83 c to
// within 0.01 (the moments of a normal deviate that is clipped).
const lostByClipping = 0.83;
const mostClipped = 0.5;

// Patches of this side are small enough to be smooth somewhere in nearly every picture.
const patch = 16;

/**
 * Immerkær's mask (1996), which cancels planes and straight edges, taken per patch: the patches with the least of it are
 * smooth, and what is left there is noise. The tenth percentile stands for them. Where black or white cut noise off, it is
 * taken for as much as it was: the quietest patches of a noisy picture on white would be those of its background.
 */
function noiseOf({ data, width, height }: Luma, clipped: Float32Array): number {
  const found: number[] = [];
  for (let top = 1; top + patch < height; top += patch) {
    for (let left = 1; left + patch < width; left += patch) {
      let [sum, lost] = [0, 0];
      for (let y = top; y < top + patch; y++) {
        for (let x = left; x < left + patch; x++) {
          const at = y * width + x;
          lost += clipped[at] as number;
          const value = (offset: number) => data[at + offset] as number;
          const corners = value(-width - 1) + value(-width + 1) + value(width - 1) + value(width + 1);
          const sides = value(-width) + value(-1) + value(1) + value(width);
          sum += (corners - 2 * sides + 4 * value(0)) ** 2;
        }
      }
      // The mask has a norm of 6.
      const kept = 1 - lostByClipping * Math.min(mostClipped, lost / patch ** 2);
      found.push(Math.sqrt(sum / patch ** 2) / 6 / kept);
    }
  }
  return percentile(found, 0.1);
}

/** Mean step over borders of blocks against the mean of the steps beside them, both ways. */
function blockinessOf({ data, width, height }: Luma): number {
  let [onBorders, borders, beside, others] = [0, 0, 0, 0];
  const add = (step: number, place: number) => {
    if (place === 7) {
      onBorders += step;
      borders += 1;
    } else if (place === 5 || place === 1) {
      beside += step;
      others += 1;
    }
  };
  // Real edges say nothing of blocks and would drown them.
  const most = 24;
  for (let y = 0; y + 1 < height; y++) {
    for (let x = 0; x + 1 < width; x++) {
      const at = y * width + x;
      const across = Math.abs((data[at] as number) - (data[at + 1] as number));
      const down = Math.abs((data[at] as number) - (data[at + width] as number));
      if (across < most) add(across, x % 8);
      if (down < most) add(down, y % 8);
    }
  }
  // Half a level keeps flat pictures from dividing nothing by nothing.
  return (onBorders / Math.max(1, borders) + 0.5) / (beside / Math.max(1, others) + 0.5);
}

/** For the strongest steps over eight pixels, the share of the largest single step among them. */
function sharpnessOf({ data, width, height }: Luma): number {
  const reach = 8;
  const edges: { rise: number; share: number }[] = [];
  for (let y = 0; y < height; y += 2) {
    for (let x = 0; x + reach < width; x += 4) {
      const at = y * width + x;
      const rise = Math.abs((data[at + reach] as number) - (data[at] as number));
      if (rise < 40) continue;
      let largest = 0;
      for (let step = 0; step < reach; step++) {
        largest = Math.max(largest, Math.abs((data[at + step + 1] as number) - (data[at + step] as number)));
      }
      edges.push({ rise, share: Math.min(1, largest / rise) });
    }
  }
  if (edges.length < 16) return 1;
  return percentile(
    edges.map(({ share }) => share),
    0.9,
  );
}

function flatnessOf({ data, width, height }: Luma): number {
  let [flat, counted] = [0, 0];
  for (let y = 0; y + 1 < height; y++) {
    for (let x = 0; x + 1 < width; x++) {
      const at = y * width + x;
      const value = data[at] as number;
      if (value > 250 || value < 5) continue;
      counted += 1;
      if (value === data[at + 1] && value === data[at + width]) flat += 1;
    }
  }
  // What is nearly all white or black is no evidence.
  return counted < (width * height) / 20 ? 0 : flat / counted;
}

function percentile(values: number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
}
