import type { Pixels, Size } from '../../engine/media/media.js';
import { mix, type Position, position } from '../pixels/bilinear.js';
import type { ColourLayers } from './colour-layers.js';

/**
 * What takes the background out of the colours of rows of the full picture (4 channels, alpha as it was found), in place: a
 * pixel at an edge shows some of both, and without this what it shows of the background stays as a rim. The layers are those
 * of a guide; what they leave of a pixel's own colour goes to the foreground (Forte, "Approximate Fast Foreground Colour
 * Estimation", ICIP 2021, equation 9).
 */
export function foregroundOfRows(colours: ColourLayers, { width, height }: Size): (rows: Pixels, top: number) => void {
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
  { colours, row, column }: { colours: ColourLayers; row: Position; column: Position },
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
  { data, width }: ColourLayers,
  index: number,
  { row, column }: { row: Position; column: Position },
): number {
  const at = (y: number, x: number) => data[6 * (y * width + x) + index] as number;
  const upper = mix(at(row.before, column.before), at(row.before, column.after), column.share);
  const lower = mix(at(row.after, column.before), at(row.after, column.after), column.share);
  return mix(upper, lower, row.share);
}
