import type { Pixels, Size } from '../engine/media/media.js';
import { mix, type Position, position } from './bilinear.js';
import { slideWindow } from './sliding-window.js';

/** The colours around every pixel of a guide, apart for what is kept and for what is removed. */
export interface NearbyColours extends Size {
  /** Per pixel: red, green, blue of the foreground, then of the background. */
  data: Uint8Array;
}

// Half the side of the windows in pixels of the guide. Measured on cut-outs with known colours: soft edges (hair) want 12,
// hard ones 6.
const radius = 8;

// Share of a window from which its colours can be told.
const enough = 1e-4;

/**
 * The colours of foreground and background around every pixel, as averages weighted with alpha (0..255, of the guide's
 * size): the first half of blur fusion (Forte, "Approximate Fast Foreground Colour Estimation", ICIP 2021, DOI
 * 10.1109/ICIP42928.2021.9506164); `foregroundOfRows` is the second.
 */
export function findNearbyColours(guide: Pixels, alpha: Uint8Array): NearbyColours {
  const { width, height } = guide;
  const data = new Uint8Array(6 * width * height);
  const load = (row: number, values: Float64Array) => {
    for (let x = 0, at = row * width; x < width; x++, at++) {
      const share = (alpha[at] as number) / 255;
      values[x] = share;
      for (let channel = 0; channel < 3; channel++) {
        const value = guide.data[3 * at + channel] as number;
        values[x + (1 + channel) * width] = value * share;
        values[x + (4 + channel) * width] = value;
      }
    }
  };
  slideWindow({ width, height, radius, quantities: 7, load }, (row, means) => {
    for (let x = 0, at = row * width; x < width; x++, at++) {
      const kept = means[x] as number;
      for (let channel = 0; channel < 3; channel++) {
        const own = guide.data[3 * at + channel] as number;
        const sum = means[x + (1 + channel) * width] as number;
        const removed = (means[x + (4 + channel) * width] as number) - sum;
        data[6 * at + channel] = kept > enough ? Math.round(sum / kept) : own;
        data[6 * at + 3 + channel] = 1 - kept > enough ? Math.round(removed / (1 - kept)) : own;
      }
    }
  });
  return { data, width, height };
}

/**
 * What takes the background out of the colours of rows of the full picture (4 channels, alpha as it was found), in place: a
 * pixel at an edge shows some of both, and without this what it shows of the background stays as a rim.
 */
export function foregroundOfRows(colours: NearbyColours, { width, height }: Size): (rows: Pixels, top: number) => void {
  const columns = Array.from({ length: width }, (_, x) => position(x, width, colours.width));
  return ({ data, height: rows }, top) => {
    for (let y = 0; y < rows; y++) {
      const row = position(top + y, height, colours.height);
      for (let x = 0; x < width; x++) {
        const at = 4 * (y * width + x);
        const alpha = data[at + 3] as number;
        if (alpha > 0 && alpha < 255) restore(data, at, { colours, row, column: columns[x] as Position });
      }
    }
  };
}

function restore(
  data: Uint8Array,
  at: number,
  { colours, row, column }: { colours: NearbyColours; row: Position; column: Position },
): void {
  const alpha = (data[at + 3] as number) / 255;
  for (let channel = 0; channel < 3; channel++) {
    const foreground = sample(colours, channel, { row, column });
    const background = sample(colours, channel + 3, { row, column });
    const rest = (data[at + channel] as number) - alpha * foreground - (1 - alpha) * background;
    data[at + channel] = Math.min(255, Math.max(0, Math.round(foreground + alpha * rest)));
  }
}

function sample(
  { data, width }: NearbyColours,
  index: number,
  { row, column }: { row: Position; column: Position },
): number {
  const at = (y: number, x: number) => data[6 * (y * width + x) + index] as number;
  const upper = mix(at(row.before, column.before), at(row.before, column.after), column.share);
  const lower = mix(at(row.after, column.before), at(row.after, column.after), column.share);
  return mix(upper, lower, row.share);
}
