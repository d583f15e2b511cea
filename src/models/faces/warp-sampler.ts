import { moved, type Similarity, scaleOf } from './similarity.js';

/** Interleaved samples of three channels. */
export interface Colours {
  data: Uint8Array | Float32Array;
  width: number;
  height: number;
}

/** From this many pixels of the source for one of the result, the mean of four samples is taken: one would skip detail. */
const coarse = 1.25;

/**
 * What reads the colour of a pixel (its column and row) of a picture that `toSource` brings to the source: Catmull-Rom, which
 * goes through every pixel of the source and keeps straight ramps straight. Beyond the edges the source is mirrored.
 * Good for up to two pixels of the source for one of the result. The same array is given each time.
 */
export function createSampler(source: Colours, toSource: Similarity): (column: number, row: number) => Float32Array {
  const offsets = scaleOf(toSource) > coarse ? [0.25, 0.75] : [0.5];
  const sample = bicubic(source);
  const colour = new Float32Array(3);
  return (column, row) => {
    colour.fill(0);
    for (const down of offsets) {
      for (const across of offsets) {
        const { x, y } = moved(toSource, { x: column + across, y: row + down });
        sample(x - 0.5, y - 0.5, colour);
      }
    }
    const share = offsets.length ** -2;
    for (let channel = 0; channel < 3; channel++) colour[channel] = (colour[channel] as number) * share;
    return colour;
  };
}

/** What adds the colour at a place, where the middle of the first pixel is at 0. */
function bicubic({ data, width, height }: Colours): (x: number, y: number, into: Float32Array) => void {
  const [across, down] = [new Float64Array(4), new Float64Array(4)];
  return (x, y, into) => {
    const [column, row] = [Math.floor(x), Math.floor(y)];
    weigh(x - column, across);
    weigh(y - row, down);
    for (let j = 0; j < 4; j++) {
      const line = mirrored(row + j - 1, height) * width;
      for (let i = 0; i < 4; i++) {
        const weight = (across[i] as number) * (down[j] as number);
        const at = 3 * (line + mirrored(column + i - 1, width));
        into[0] = (into[0] as number) + weight * (data[at] as number);
        into[1] = (into[1] as number) + weight * (data[at + 1] as number);
        into[2] = (into[2] as number) + weight * (data[at + 2] as number);
      }
    }
  };
}

/** A place on an axis that is mirrored at both ends, again and again. */
function mirrored(index: number, length: number): number {
  if (index >= 0 && index < length) return index;
  const place = ((index % (2 * length)) + 2 * length) % (2 * length);
  return place < length ? place : 2 * length - 1 - place;
}

function weigh(share: number, into: Float64Array): void {
  const [square, cube] = [share * share, share * share * share];
  into[0] = (-cube + 2 * square - share) / 2;
  into[1] = (3 * cube - 5 * square + 2) / 2;
  into[2] = (-3 * cube + 4 * square + share) / 2;
  into[3] = (cube - square) / 2;
}
