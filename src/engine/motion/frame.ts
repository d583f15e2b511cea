import type { Frame, Size } from '../media/media.js';
import type { Target } from './sampling.js';

/** A frame of undefined content. */
export function createFrame({ width, height }: Size): Frame {
  return { width, height, data: new Uint8Array((width * height * 3) / 2) };
}

/** The three planes of a frame. */
export function targetsOf({ width, height, data }: Frame): [luma: Target, cb: Target, cr: Target] {
  const area = width * height;
  const half = { width: width / 2, height: height / 2, spacing: 2 } as const;
  return [
    { data: data.subarray(0, area), width, height, spacing: 1 },
    { data: data.subarray(area, area * 1.25), ...half },
    { data: data.subarray(area * 1.25), ...half },
  ];
}

/** Lays a frame over another one of its size, with this share, 0..1. */
export function blend({ data }: Frame, over: Frame, share: number): void {
  const weight = Math.round(share * 256);
  for (let at = 0; at < data.length; at++) {
    const before = data[at] as number;
    data[at] = (before * 256 + ((over.data[at] as number) - before) * weight + 128) >> 8;
  }
}
