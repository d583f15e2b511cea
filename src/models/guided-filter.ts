import type { Pixels, Plane, Size } from '../engine/media/media.js';
import { resizePlane } from './bilinear.js';
import { slideWindow } from './sliding-window.js';

/** Alpha as a linear function of the colours (0..255) that varies smoothly over the picture, at the size of its guide. */
export interface AlphaFit extends Size {
  /** Per pixel: factors of red, green and blue, and the offset. */
  coefficients: Float32Array;
}

// Longest side of a guide. Measured on cut-outs with a known truth at 1536 px: 640 to 1536 are equally good, 768 takes about
// 100 ms on one core.
const guideSide = 768;

// Half the side of the windows, in pixels of the matte: how far its edges may be off. Larger ones correct more, but also
// spread what the network got wrong.
const reach = 2.5;

// Variance of the colours (0..255) in a window that counts as texture rather than as an edge: 1 % of the range.
const epsilon = 2.55 ** 2;

/** The size to which a picture is shrunk to be its own guide: small pictures stay as they are. */
export function guideSize({ width, height }: Size): Size {
  const factor = Math.min(1, guideSide / Math.max(width, height));
  return { width: Math.max(1, Math.round(width * factor)), height: Math.max(1, Math.round(height * factor)) };
}

/**
 * Fits a matte (0..1, of any size) to the colours of its guide (3 channels): the first half of the fast guided filter of He
 * and Sun (arXiv 1505.00996); `alphaOfRows` is the second. Running sums: the cost does not depend on the radius.
 */
export function fitAlpha(matte: Plane, guide: Pixels): AlphaFit {
  const { width, height } = guide;
  const coarseness = Math.max(width, height) / Math.max(matte.width, matte.height);
  const radius = Math.max(1, Math.round(reach * coarseness));
  const raw = solveWindows(resizePlane(matte, guide), guide, radius);
  const coefficients = new Float32Array(raw.length);
  const addRow = (row: number, sign: number, sums: Float64Array) => {
    const start = row * sums.length;
    for (let at = 0; at < sums.length; at++) sums[at] = (sums[at] as number) + sign * (raw[start + at] as number);
  };
  slideWindow({ width, height, radius, quantities: 4, addRow }, (at, sums, count) => {
    for (let index = 0; index < 4; index++) coefficients[4 * at + index] = (sums[index] as number) / count;
  });
  return { width, height, coefficients };
}

// The sums of a window: r, g, b, alpha, then rr, rg, rb, gg, gb, bb, then r, g, b each times alpha.
const quantities = 13;

/** Per pixel, the factors and the offset that fit alpha to the colours of its window best (least squares). */
function solveWindows(matte: Plane, guide: Pixels, radius: number): Float32Array {
  const { width, height } = guide;
  const fits = new Float32Array(4 * width * height);
  const addRow = (row: number, sign: number, sums: Float64Array) => {
    for (let x = 0, at = row * width, to = 0; x < width; x++, at++, to += quantities) {
      const r = guide.data[3 * at] as number;
      const g = guide.data[3 * at + 1] as number;
      const b = guide.data[3 * at + 2] as number;
      const alpha = (matte.data[at] as number) * sign;
      sums[to] = (sums[to] as number) + sign * r;
      sums[to + 1] = (sums[to + 1] as number) + sign * g;
      sums[to + 2] = (sums[to + 2] as number) + sign * b;
      sums[to + 3] = (sums[to + 3] as number) + alpha;
      sums[to + 4] = (sums[to + 4] as number) + sign * r * r;
      sums[to + 5] = (sums[to + 5] as number) + sign * r * g;
      sums[to + 6] = (sums[to + 6] as number) + sign * r * b;
      sums[to + 7] = (sums[to + 7] as number) + sign * g * g;
      sums[to + 8] = (sums[to + 8] as number) + sign * g * b;
      sums[to + 9] = (sums[to + 9] as number) + sign * b * b;
      sums[to + 10] = (sums[to + 10] as number) + alpha * r;
      sums[to + 11] = (sums[to + 11] as number) + alpha * g;
      sums[to + 12] = (sums[to + 12] as number) + alpha * b;
    }
  };
  slideWindow({ width, height, radius, quantities, addRow }, (at, sums, count) => solve(sums, count, { fits, at }));
  return fits;
}

/** (Covariance of the colours + epsilon)⁻¹ · covariance of colours and alpha, by the cofactors of the symmetric matrix. */
function solve(sums: Float64Array, count: number, { fits, at }: { fits: Float32Array; at: number }): void {
  const share = 1 / count;
  const r = (sums[0] as number) * share;
  const g = (sums[1] as number) * share;
  const b = (sums[2] as number) * share;
  const alpha = (sums[3] as number) * share;
  const rr = (sums[4] as number) * share - r * r + epsilon;
  const rg = (sums[5] as number) * share - r * g;
  const rb = (sums[6] as number) * share - r * b;
  const gg = (sums[7] as number) * share - g * g + epsilon;
  const gb = (sums[8] as number) * share - g * b;
  const bb = (sums[9] as number) * share - b * b + epsilon;
  const ra = (sums[10] as number) * share - r * alpha;
  const ga = (sums[11] as number) * share - g * alpha;
  const ba = (sums[12] as number) * share - b * alpha;
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
  fits[4 * at] = red;
  fits[4 * at + 1] = green;
  fits[4 * at + 2] = blue;
  fits[4 * at + 3] = alpha - red * r - green * g - blue * b;
}
