import type { Size } from '../../engine/media/media.js';

/** No side of a picture for a network is longer than this many shorter ones: its time grows with their product. */
const longest = 3;

/** The size of a picture whose shorter side is about this long, its shape kept as near as multiples and long nets allow. */
export function withShorterSide({ width, height }: Size, short: number, multiple: number): Size {
  const ratio = Math.min(Math.max(width, height) / Math.min(width, height), longest);
  const round = (length: number) => Math.max(1, Math.round(length / multiple)) * multiple;
  const [less, more] = [round(short), round(short * ratio)];
  return width < height ? { width: less, height: more } : { width: more, height: less };
}
