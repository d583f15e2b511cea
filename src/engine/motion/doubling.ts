import { createPlane, type PaddedPlane, type PlaneMaker, repeatBorder } from './plane.js';

/** Samples that one new sample is made of. */
const taps = 6;

/** Lanczos of three lobes for a sample a quarter of a pixel before another one, counted from three before it. */
const early = lanczos(2.75);
const late = early.toReversed();

/**
 * A plane at twice its size. What lies between samples is then known so well that straight lines are good enough for the
 * rest: in a picture moved by fractions of a pixel nothing flickers between soft and sharp.
 */
export function doubled(source: PaddedPlane, make: PlaneMaker = createPlane): PaddedPlane {
  const { width, height, pad, stride, data } = source;
  const result = make({ width: 2 * width, height: 2 * height }, pad);
  // Rows of twice the width for each row that contributes: the lines of the source and those of its pad.
  const wide = new Float32Array(2 * width * (height + taps));
  for (let row = 0; row < height + taps; row++) {
    const from = (row - taps / 2 + pad) * stride + pad;
    widen(data, from, wide.subarray(row * 2 * width, (row + 1) * 2 * width));
  }
  for (let y = 0; y < 2 * height; y++) {
    const isLate = y % 2;
    const weights = isLate ? late : early;
    const first = (Math.floor(y / 2) + isLate) * 2 * width;
    mixRows(wide.subarray(first, first + taps * 2 * width), weights, {
      into: result.data,
      at: (y + pad) * result.stride + pad,
    });
  }
  repeatBorder(result);
  return result;
}

function widen(data: Uint8Array, from: number, into: Float32Array): void {
  const [a, b, c, d, e, f] = early as [number, number, number, number, number, number];
  for (let to = 0, at = from - taps / 2; to < into.length; to += 2, at++) {
    const p = data[at + 1] as number;
    const q = data[at + 2] as number;
    const r = data[at + 3] as number;
    const s = data[at + 4] as number;
    const t = data[at + 5] as number;
    into[to] = a * (data[at] as number) + b * p + c * q + d * r + e * s + f * t;
    into[to + 1] = f * p + e * q + d * r + c * s + b * t + a * (data[at + 6] as number);
  }
}

function mixRows(rows: Float32Array, weights: number[], { into, at }: { into: Uint8Array; at: number }): void {
  const [a, b, c, d, e, f] = weights as [number, number, number, number, number, number];
  const width = rows.length / taps;
  for (let x = 0; x < width; x++) {
    const value =
      a * (rows[x] as number) +
      b * (rows[x + width] as number) +
      c * (rows[x + 2 * width] as number) +
      d * (rows[x + 3 * width] as number) +
      e * (rows[x + 4 * width] as number) +
      f * (rows[x + 5 * width] as number);
    into[at + x] = value < 0 ? 0 : value > 255 ? 255 : value + 0.5;
  }
}

/** Weights of six samples for one that lies `at` after the first of them; their sum is 1. */
function lanczos(at: number): number[] {
  const sinc = (x: number) => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));
  const weights = Array.from({ length: taps }, (_, index) => sinc(at - index) * sinc((at - index) / 3));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}
