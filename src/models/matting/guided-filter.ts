import type { Pixels, Plane, Size } from '../../engine/media/media.js';
import { resizePlane } from '../pixels/bilinear.js';
import { shrunkTo } from '../pixels/shrink.js';
import { slideWindow } from '../pixels/sliding-window.js';

/** Alpha as a linear function of the colours (0..255) that varies smoothly over the picture, at the size of its guide. */
export interface AlphaFit extends Size {
  /** Per pixel: factors of red, green and blue, and the offset. */
  coefficients: Float32Array;
}

// Longest side of a guide. Measured with mattes of 320 px on pictures with a known truth of 640 and 1536 px: 384 comes 10 %
// nearer to it and costs half as much again, 256 stays 20 % further off.
const guideSide = 320;

// Half the side of the windows, in pixels of the matte: how far its edges may be off. Larger ones correct more, but also
// spread what the network got wrong, and the error of sharp edges: half as much again with 3.
const usualReach = 2;

// Variance of the colours (0..255) in a window that counts as texture rather than as an edge: 1 % of the range.
const usualEpsilon = 2.55 ** 2;

/** The size to which a picture is shrunk to be its own guide: small pictures stay as they are. */
export function guideSize(size: Size): Size {
  return shrunkTo(size, guideSide);
}

export interface FitOptions {
  /** Half the side of the windows, in pixels of the matte. */
  reach?: number;
  /** Variance of the colours (0..255) in a window that counts as texture rather than as an edge. */
  epsilon?: number;
}

/**
 * Fits a matte (0..1, of any size) to the colours of its guide (3 channels): the first half of the fast guided filter of He
 * and Sun (arXiv 1505.00996); `alphaOfRows` is the second. Running sums: the cost does not depend on the radius.
 */
export function fitAlpha(matte: Plane, guide: Pixels, options: FitOptions = {}): AlphaFit {
  const { width, height } = guide;
  const { reach = usualReach, epsilon = usualEpsilon } = options;
  const coarseness = Math.max(width, height) / Math.max(matte.width, matte.height);
  const radius = Math.max(1, Math.round(reach * coarseness));
  const raw = solveWindows(resizePlane(matte, guide), guide, { radius, epsilon });
  const coefficients = new Float32Array(raw.length);
  const load = (row: number, values: Float64Array) => {
    for (let x = 0, at = 4 * row * width; x < width; x++) {
      for (let index = 0; index < 4; index++, at++) values[index * width + x] = raw[at] as number;
    }
  };
  slideWindow({ width, height, radius, quantities: 4, load }, (row, means) => {
    for (let x = 0, at = 4 * row * width; x < width; x++) {
      for (let index = 0; index < 4; index++, at++) coefficients[at] = means[index * width + x] as number;
    }
  });
  return { width, height, coefficients };
}

// The values of a pixel: r, g, b, alpha, then rr, rg, rb, gg, gb, bb, then r, g, b each times alpha.
const quantities = 13;

/** Per pixel, the factors and the offset that fit alpha to the colours of its window best (least squares). */
function solveWindows(
  matte: Plane,
  guide: Pixels,
  { radius, epsilon }: { radius: number; epsilon: number },
): Float32Array {
  const { width, height } = guide;
  const fits = new Float32Array(4 * width * height);
  const load = (row: number, values: Float64Array) => {
    for (let x = 0, at = row * width; x < width; x++, at++) {
      const r = guide.data[3 * at] as number;
      const g = guide.data[3 * at + 1] as number;
      const b = guide.data[3 * at + 2] as number;
      const alpha = matte.data[at] as number;
      values[x] = r;
      values[x + width] = g;
      values[x + 2 * width] = b;
      values[x + 3 * width] = alpha;
      values[x + 4 * width] = r * r;
      values[x + 5 * width] = r * g;
      values[x + 6 * width] = r * b;
      values[x + 7 * width] = g * g;
      values[x + 8 * width] = g * b;
      values[x + 9 * width] = b * b;
      values[x + 10 * width] = r * alpha;
      values[x + 11 * width] = g * alpha;
      values[x + 12 * width] = b * alpha;
    }
  };
  slideWindow({ width, height, radius, quantities, load }, (row, means) => {
    for (let x = 0; x < width; x++) solve(means, { x, width, epsilon, fits, at: 4 * (row * width + x) });
  });
  return fits;
}

interface Place {
  x: number;
  width: number;
  epsilon: number;
  fits: Float32Array;
  at: number;
}

/** (Covariance of the colours + epsilon)⁻¹ · covariance of colours and alpha, by the cofactors of the symmetric matrix. */
function solve(means: Float64Array, { x, width, epsilon, fits, at }: Place): void {
  const r = means[x] as number;
  const g = means[x + width] as number;
  const b = means[x + 2 * width] as number;
  const alpha = means[x + 3 * width] as number;
  const rr = (means[x + 4 * width] as number) - r * r + epsilon;
  const rg = (means[x + 5 * width] as number) - r * g;
  const rb = (means[x + 6 * width] as number) - r * b;
  const gg = (means[x + 7 * width] as number) - g * g + epsilon;
  const gb = (means[x + 8 * width] as number) - g * b;
  const bb = (means[x + 9 * width] as number) - b * b + epsilon;
  const ra = (means[x + 10 * width] as number) - r * alpha;
  const ga = (means[x + 11 * width] as number) - g * alpha;
  const ba = (means[x + 12 * width] as number) - b * alpha;
  const c00 = gg * bb - gb * gb;
  const c01 = rb * gb - rg * bb;
  const c02 = rg * gb - rb * gg;
  const c11 = rr * bb - rb * rb;
  const c12 = rb * rg - rr * gb;
  const c22 = rr * gg - rg * rg;
  const scale = 1 / (rr * c00 + rg * c01 + rb * c02);
  const red = (c00 * ra + c01 * ga + c02 * ba) * scale;
  const green = (c01 * ra + c11 * ga + c12 * ba) * scale;
  const blue = (c02 * ra + c12 * ga + c22 * ba) * scale;
  fits[at] = red;
  fits[at + 1] = green;
  fits[at + 2] = blue;
  fits[at + 3] = alpha - red * r - green * g - blue * b;
}
