import type { Pixels, Size } from '../media/media.js';
import type { PixelReader } from './workbench.js';

/** The middle of a picture at its own size, at most `side` pixels each way, on the grid of JPEG's blocks. */
export async function middleOf(source: PixelReader, side: number): Promise<Pixels> {
  const width = Math.min(side, source.width);
  const height = Math.min(side, source.height);
  const left = Math.floor((source.width - width) / 16) * 8;
  return partOf(source, { left, top: Math.floor((source.height - height) / 16) * 8, width, height });
}

/** A part of a picture at its own size. */
export async function partOf(
  source: PixelReader,
  { left, top, width, height }: Size & { left: number; top: number },
): Promise<Pixels> {
  const rows = await source.readRows(top, height);
  const data = new Uint8Array(width * height * rows.channels);
  for (let y = 0; y < height; y++) {
    const at = (y * rows.width + left) * rows.channels;
    data.set(rows.data.subarray(at, at + width * rows.channels), y * width * rows.channels);
  }
  return { data, width, height, channels: rows.channels };
}
