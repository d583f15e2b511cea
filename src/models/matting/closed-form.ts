import type { Pixels, Plane } from '../../engine/media/media.js';
import { alphaOfRows } from './alpha-rows.js';
import { solveByConjugateGradients } from './conjugate-gradient.js';
import { fitAlpha } from './guided-filter.js';
import { type MattingLaplacian, mattingLaplacian } from './matting-laplacian.js';
import { isUnknown, type Trimap } from './trimap.js';

export interface MattingOptions {
  /** Variance of colours (0..1) in a window that counts as noise; larger ones are solved sooner, and blur fine hair. */
  epsilon?: number;
  /** How small the residual of the finest size gets beside the right side. */
  tolerance?: number;
  /** Of each size. */
  maxSteps?: number;
  /** Called now and then with the share of the steps that is done; throws to stop. */
  onStep?(fraction: number): void;
}

/** A size at which starting with nothing is quick. */
const coarsest = 96;

/**
 * Alpha 0..1 of a picture (3 channels) that is 1 and 0 where its trimap of the same size says so, and in between such that
 * alpha is as nearly as it can be a linear function of the colours in every 3 × 3 window: closed-form matting (Levin et al.
 * 2008). Solved for the unknown pixels alone, from coarse to fine: each size begins with the answer of the one before.
 */
export function closedFormAlpha(picture: Pixels, trimap: Trimap, options: MattingOptions = {}): Plane {
  const { width, height } = picture;
  const isCoarsest = Math.max(width, height) <= coarsest || Math.min(width, height) < 8;
  const start = isCoarsest ? undecided(trimap) : fromHalf(picture, trimap, options);
  return solve(picture, { trimap, start }, options);
}

/** The answer for the picture at half its size, carried over by the colours: alpha is linear in them at any size. */
function fromHalf(picture: Pixels, trimap: Trimap, options: MattingOptions): Plane {
  const half = halfPicture(picture);
  const alpha = closedFormAlpha(half, halfTrimap(trimap), { ...options, tolerance: 1e-3 });
  const fit = fitAlpha(alpha, half, { reach: 1, epsilon: 255 ** 2 * 1e-5 });
  const carried = alphaOfRows(fit, picture, { low: 0, high: 1 })(picture, 0);
  return { data: Float32Array.from(carried, (value) => value / 255), width: picture.width, height: picture.height };
}

function undecided({ data, width, height }: Trimap): Plane {
  return { data: Float32Array.from(data, (state) => state / 255), width, height };
}

function solve(
  picture: Pixels,
  { trimap, start }: { trimap: Trimap; start: Plane },
  { epsilon = 1e-6, tolerance = 1e-4, maxSteps = 300, onStep }: MattingOptions,
): Plane {
  const { width, height } = picture;
  const laplacian = mattingLaplacian(picture, (at) => isUnknown(trimap.data[at]), epsilon);
  const alpha = Float32Array.from(trimap.data, (state) => (state === 255 ? 1 : 0));
  const guess = Float64Array.from(laplacian.unknown, (at) => start.data[at] as number);
  const system = systemOf(laplacian, alpha);
  solveByConjugateGradients(system, guess, {
    tolerance,
    maxSteps,
    onStep: (step) => onStep?.(step / maxSteps),
  });
  for (const [index, at] of laplacian.unknown.entries()) alpha[at] = Math.min(1, Math.max(0, guess[index] as number));
  return { data: alpha, width, height };
}

/** The equations of the unknown pixels; what is known stands on the right side. */
function systemOf({ unknown, diagonal, multiply }: MattingLaplacian, known: Float32Array) {
  const values = Float64Array.from(known);
  const products = new Float64Array(known.length);
  multiply(values, products);
  const right = Float64Array.from(unknown, (at) => -(products[at] as number));
  values.fill(0);
  return {
    // A pixel that no window reaches has no equation: it stays as it began.
    diagonal: diagonal.map((entry) => (entry > 1e-9 ? entry : 1)),
    right,
    multiply(vector: Float64Array, product: Float64Array) {
      for (let index = 0; index < unknown.length; index++) values[unknown[index] as number] = vector[index] as number;
      multiply(values, products);
      for (let index = 0; index < unknown.length; index++)
        product[index] = products[unknown[index] as number] as number;
    },
  };
}

function halfPicture({ data, width, height }: Pixels): Pixels {
  const half = { width: Math.ceil(width / 2), height: Math.ceil(height / 2) };
  const small = new Uint8Array(half.width * half.height * 3);
  for (let y = 0, to = 0; y < half.height; y++) {
    const [upper, lower] = [2 * y * width, Math.min(2 * y + 1, height - 1) * width];
    for (let x = 0; x < half.width; x++) {
      const [left, right] = [2 * x, Math.min(2 * x + 1, width - 1)];
      for (let channel = 0; channel < 3; channel++, to++) {
        const sample = (at: number) => data[3 * at + channel] as number;
        small[to] =
          (sample(upper + left) + sample(upper + right) + sample(lower + left) + sample(lower + right) + 2) >> 2;
      }
    }
  }
  return { data: small, ...half, channels: 3 };
}

/** Known is what all four pixels agree on. */
function halfTrimap({ data, width, height }: Trimap): Trimap {
  const half = { width: Math.ceil(width / 2), height: Math.ceil(height / 2) };
  const small = new Uint8Array(half.width * half.height);
  for (let y = 0, to = 0; y < half.height; y++) {
    const [upper, lower] = [2 * y * width, Math.min(2 * y + 1, height - 1) * width];
    for (let x = 0; x < half.width; x++, to++) {
      const [left, right] = [2 * x, Math.min(2 * x + 1, width - 1)];
      const state = data[upper + left] as number;
      const agree = [upper + right, lower + left, lower + right].every((at) => data[at] === state);
      small[to] = agree ? state : 128;
    }
  }
  return { data: small, ...half };
}
