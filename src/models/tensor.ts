import type { Pixels, Size } from '../engine/media/media.js';

/** Per channel, the float that stands for each of the 256 sample values. */
export type Levels = readonly [Float32Array, Float32Array, Float32Array];

/** `(v / peak - mean) / std` for every sample value `v` and channel, computed once instead of per pixel. */
export function levels(mean: readonly number[], std: readonly number[], peak = 255): Levels {
  const channel = (index: number) =>
    Float32Array.from({ length: 256 }, (_, value) => (value / peak - (mean[index] ?? 0)) / (std[index] ?? 1));
  return [channel(0), channel(1), channel(2)];
}

/** Interleaved 8-bit RGB as float planes [3, height, width] through the levels. */
export function toPlanes(pixels: Pixels, [red, green, blue]: Levels): Float32Array<ArrayBuffer> {
  const { data } = pixels;
  const area = pixels.width * pixels.height;
  const planes = new Float32Array(3 * area);
  for (let at = 0, from = 0; at < area; at++, from += 3) {
    planes[at] = red[data[from] as number] as number;
    planes[at + area] = green[data[from + 1] as number] as number;
    planes[at + 2 * area] = blue[data[from + 2] as number] as number;
  }
  return planes;
}

/** Float planes [3, height, width] of 0..1 (clipped to it, rounded) as interleaved 8-bit RGB. */
export function fromPlanes(planes: Float32Array, { width, height }: Size): Pixels {
  const area = width * height;
  const data = new Uint8ClampedArray(3 * area);
  for (let at = 0, to = 0; at < area; at++, to += 3) {
    data[to] = (planes[at] as number) * 255;
    data[to + 1] = (planes[at + area] as number) * 255;
    data[to + 2] = (planes[at + 2 * area] as number) * 255;
  }
  return { data: new Uint8Array(data.buffer), width, height, channels: 3 };
}
