import type { Pixels, Plane, Size } from '../../engine/media/media.js';
import { mix, type Position, position } from '../pixels/bilinear.js';
import { colourOf, luminance } from './lab.js';
import type { Chroma } from '../model.js';

/**
 * What gives rows of a picture of size `full`, which begin at `top`, the colours of a small copy, in place: their own
 * lightness stays, `amount` (0..1) of the colours is new. Alpha is left alone. Between the pixels of the copy it is
 * bilinear: carried up along the edges by a guided filter, the true colours of eight photographs at 512 pixels came 3 dB
 * less near to those at 1536, blurred ones as near.
 */
export function colourRows(chroma: Chroma, full: Size, amount: number): (rows: Pixels, top: number) => void {
  const columns = Array.from({ length: full.width }, (_, x) => position(x, full.width, chroma.a.width));
  const colour = new Float32Array(3);
  const [lineA, lineB] = [new Float32Array(chroma.a.width), new Float32Array(chroma.b.width)];
  return ({ data, height, channels }, top) => {
    for (let y = 0, at = 0; y < height; y++) {
      const row = position(top + y, full.height, chroma.a.height);
      mixLines(chroma.a, row, lineA);
      mixLines(chroma.b, row, lineB);
      for (const { before, after, share } of columns) {
        const a = mix(lineA[before] as number, lineA[after] as number, share);
        const b = mix(lineB[before] as number, lineB[after] as number, share);
        const light = luminance(data[at] as number, data[at + 1] as number, data[at + 2] as number);
        colourOf(light, { a, b }, colour);
        for (let channel = 0; channel < 3; channel++)
          data[at + channel] = Math.round(mix(data[at + channel] as number, colour[channel] as number, amount));
        at += channels;
      }
    }
  };
}

function mixLines({ data, width }: Plane, { before, after, share }: Position, into: Float32Array): void {
  for (let x = 0; x < width; x++)
    into[x] = mix(data[before * width + x] as number, data[after * width + x] as number, share);
}
