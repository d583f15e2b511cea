import type { Pixels, Size } from '../../engine/media/media.js';

export interface ResampleOptions {
  from: Size & { channels: 3 | 4 };
  to: Size;
  /** Takes the next rows of the result; their memory is used again once it settles. */
  write(rows: Pixels): Promise<void>;
}

/** A picture on its way to another size: rows go in from top to bottom, and rows come out as soon as they can. */
export interface Resampler {
  push(rows: Pixels): Promise<void>;
}

/** Lobes of the kernel to one side. */
const lobes = 3;

// Rows are written in bands of about this many bytes.
const bandBytes = 1 << 20;

/**
 * Lanczos with three lobes, widened when it makes smaller (Duchon 1979; the same choice as libvips and Pillow), on rows
 * as they come: memory for a few rows, whatever the height. Alpha is premultiplied meanwhile, so that no colour of a
 * transparent pixel shows.
 */
export function createResampler({ from, to, write }: ResampleOptions): Resampler {
  const across = tapsOf(from.width, to.width);
  const down = tapsOf(from.height, to.height);
  const band = createBand({ width: to.width, channels: from.channels }, write);
  const waiting = new Map<number, Float32Array>();
  let arrived = 0;
  let next = 0;
  return {
    async push(rows) {
      for (let row = 0; row < rows.height; row++) {
        waiting.set(arrived++, filterRow(rows, row, across));
        while (next < to.height && (down[next] as Taps).last < arrived) {
          const taps = down[next++] as Taps;
          await band.add((target) => mixRows(waiting, taps, { target, channels: from.channels }), next === to.height);
          const needed = down[next]?.first ?? arrived;
          for (const index of waiting.keys()) if (index < needed) waiting.delete(index);
        }
      }
    },
  };
}

/** The pixels that one pixel of the result is mixed from. */
interface Taps {
  first: number;
  last: number;
  weights: Float32Array;
}

function tapsOf(length: number, target: number): Taps[] {
  const ratio = length / target;
  const stretch = Math.max(1, ratio);
  return Array.from({ length: target }, (_, index) => {
    const centre = (index + 0.5) * ratio - 0.5;
    const first = Math.max(0, Math.ceil(centre - lobes * stretch));
    const last = Math.min(length - 1, Math.floor(centre + lobes * stretch));
    const weights = Float32Array.from({ length: last - first + 1 }, (_, tap) =>
      lanczos((first + tap - centre) / stretch),
    );
    const sum = weights.reduce((total, weight) => total + weight, 0);
    return { first, last, weights: weights.map((weight) => weight / sum) };
  });
}

function lanczos(x: number): number {
  if (x === 0) return 1;
  if (Math.abs(x) >= lobes) return 0;
  const angle = Math.PI * x;
  return (lobes * Math.sin(angle) * Math.sin(angle / lobes)) / (angle * angle);
}

/** One row at the new width, as floats 0..255, colours premultiplied. */
function filterRow({ data, width, channels }: Pixels, row: number, taps: Taps[]): Float32Array {
  const line = premultiplied(data.subarray(row * width * channels, (row + 1) * width * channels), channels);
  const out = new Float32Array(taps.length * channels);
  for (const [index, { first, weights }] of taps.entries()) {
    for (let channel = 0; channel < channels; channel++) {
      let sum = 0;
      for (let tap = 0, at = first * channels + channel; tap < weights.length; tap++, at += channels) {
        sum += (weights[tap] as number) * (line[at] as number);
      }
      out[index * channels + channel] = sum;
    }
  }
  return out;
}

function premultiplied(line: Uint8Array, channels: number): Uint8Array | Float32Array {
  if (channels !== 4) return line;
  const result = Float32Array.from(line);
  for (let at = 0; at < result.length; at += 4) {
    const alpha = (line[at + 3] as number) / 255;
    for (let channel = 0; channel < 3; channel++) result[at + channel] = (line[at + channel] as number) * alpha;
  }
  return result;
}

interface Target {
  target: Uint8Array;
  channels: number;
}

function mixRows(rows: Map<number, Float32Array>, { first, last, weights }: Taps, { target, channels }: Target): void {
  const sums = new Float32Array(target.length);
  for (let index = first; index <= last; index++) {
    const row = rows.get(index) as Float32Array;
    const weight = weights[index - first] as number;
    for (let at = 0; at < sums.length; at++) sums[at] = (sums[at] as number) + weight * (row[at] as number);
  }
  if (channels === 4) straighten(sums);
  for (let at = 0; at < sums.length; at++) target[at] = Math.min(255, Math.max(0, Math.round(sums[at] as number)));
}

function straighten(sums: Float32Array): void {
  for (let at = 0; at < sums.length; at += 4) {
    const alpha = sums[at + 3] as number;
    for (let channel = 0; channel < 3; channel++) {
      sums[at + channel] = alpha < 0.5 ? 0 : ((sums[at + channel] as number) * 255) / alpha;
    }
  }
}

/** Collects rows and writes them many at a time. */
function createBand({ width, channels }: { width: number; channels: 3 | 4 }, write: ResampleOptions['write']) {
  const stride = width * channels;
  const rows = Math.max(1, Math.floor(bandBytes / stride));
  const memory = new Uint8Array(rows * stride);
  let filled = 0;
  return {
    async add(fill: (target: Uint8Array) => void, isLast: boolean): Promise<void> {
      fill(memory.subarray(filled * stride, (filled + 1) * stride));
      filled += 1;
      if (filled < rows && !isLast) return;
      await write({ data: memory.subarray(0, filled * stride), width, height: filled, channels });
      filled = 0;
    },
  };
}
