import type { Size } from '../media/media.js';

export const ratios = ['21:9', '16:9', '4:3', '1:1', '3:4', '9:16'] as const;
export type Ratio = (typeof ratios)[number];

/** Shorter sides of the frame. */
export const resolutions = { '480p': 480, '720p': 720, '1080p': 1080 } as const;
export type Resolution = keyof typeof resolutions;

/** A picture that is longer than this is cropped. */
const longest = 21 / 9;

/** The size of the frames: the resolution is their shorter side, sides are even as the codec wants them. Without a ratio that of the picture. */
export function frameSize(resolution: Resolution, ratio: Ratio | null, picture: Size): Size {
  const short = resolutions[resolution];
  const [across, down] =
    ratio === null ? [picture.width, picture.height] : (ratio.split(':').map(Number) as [number, number]);
  const long = even(short * Math.min(Math.max(across, down) / Math.min(across, down), longest));
  return across >= down ? { width: long, height: short } : { width: short, height: long };
}

function even(length: number): number {
  return 2 * Math.round(length / 2);
}
