import type { Size } from '../media/media.js';

/** One channel of 8-bit samples with `pad` more pixels on each side, so that a place near the border has neighbours. */
export interface PaddedPlane extends Size {
  pad: number;
  /** Samples from one row to the next. */
  stride: number;
  data: Uint8Array;
}

/** Where the samples of a new plane are kept: as many bytes as asked for, of any content. */
export type Allocate = (bytes: number) => Uint8Array;

/** Makes planes: on its own, or for the canvas that is drawn of them. */
export type PlaneMaker = (size: Size, pad: number) => PaddedPlane;

/** A plane without samples. */
export function createPlane(
  { width, height }: Size,
  pad: number,
  allocate: Allocate = (bytes) => new Uint8Array(bytes),
): PaddedPlane {
  const stride = width + 2 * pad;
  return { width, height, pad, stride, data: allocate(stride * (height + 2 * pad)) };
}

/** Repeats the outermost samples of a plane into its pad. */
export function repeatBorder({ width, height, pad, stride, data }: PaddedPlane): void {
  for (let row = pad; row < pad + height; row++) {
    const first = row * stride + pad;
    data.fill(data[first] as number, first - pad, first);
    data.fill(data[first + width - 1] as number, first + width, first + width + pad);
  }
  const rowAt = (row: number) => data.subarray(row * stride, (row + 1) * stride);
  for (let row = 0; row < pad; row++) {
    data.set(rowAt(pad), row * stride);
    data.set(rowAt(pad + height - 1), (pad + height + row) * stride);
  }
}
