import type { Frame, Size } from '../media/media.js';

/** A frame of undefined content. */
export function createFrame({ width, height }: Size): Frame {
  return { width, height, data: new Uint8Array((width * height * 3) / 2) };
}

/** Lays a frame over another one of its size, with this share, 0..1. */
export function blend({ data }: Frame, over: Frame, share: number): void {
  const weight = Math.round(share * 256);
  for (let at = 0; at < data.length; at++) {
    const before = data[at] as number;
    data[at] = (before * 256 + ((over.data[at] as number) - before) * weight + 128) >> 8;
  }
}
