import type { Pixels } from '../../engine/media/media.js';
import { chromaOf } from './lab.js';

/** One pixel in so many may be a coloured speck. */
const specks = 200;

/**
 * How far the colours of a picture (which may be a small copy of it) are from grey, in units of CIE Lab: what all but one
 * pixel in 200 stay within. Pixels that are nearly transparent do not count.
 */
export function measureColours({ data, channels }: Pixels): number {
  const distances: number[] = [];
  const chroma = new Float32Array(2);
  for (let at = 0; at < data.length; at += channels) {
    if (channels === 4 && (data[at + 3] as number) < 128) continue;
    chromaOf(data[at] as number, data[at + 1] as number, data[at + 2] as number, chroma);
    distances.push(Math.hypot(chroma[0] as number, chroma[1] as number));
  }
  return distances.sort((one, other) => one - other)[Math.floor(distances.length * (1 - 1 / specks))] ?? 0;
}
