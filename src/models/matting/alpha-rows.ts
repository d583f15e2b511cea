import type { Pixels, Size } from '../../engine/media/media.js';
import { mix, type Position, position } from '../pixels/bilinear.js';
import type { AlphaFit } from './guided-filter.js';

/** What becomes 0 and 1; what lies between is stretched. */
export interface AlphaLevels {
  low: number;
  high: number;
}

/** The matte of a network hardly ever says 0 or 1 for sure. */
export const networkLevels: AlphaLevels = { low: 0.15, high: 0.85 };

const open = 128;

/**
 * What makes alpha 0..255 of rows of the full picture from its fit, which begin at row `top`: the second half of the fast
 * guided filter, where the full-size colours come in. `width` and `height` are those of the whole picture.
 */
export function alphaOfRows(
  fit: AlphaFit,
  { width, height }: Size,
  levels: AlphaLevels = networkLevels,
): (rows: Pixels, top: number) => Uint8Array {
  const certain = findCertain(fit.coefficients, levels);
  const cells = cellsAlong(width, fit.width);
  const line = { coefficients: new Float32Array(4 * fit.width), certain: new Uint8Array(fit.width) };
  return (rows, top) => {
    const alpha = new Uint8Array(width * rows.height);
    for (let y = 0; y < rows.height; y++) {
      mixLines(fit, { certain, at: position(top + y, height, fit.height), line });
      for (const cell of cells) fillCell(alpha, rows, { y, cell, line, levels });
    }
    return alpha;
  };
}

/**
 * Per pixel of the fit: 0 or 255 where alpha is that whatever the colours are, `open` elsewhere. It lies between the offset
 * plus the negative factors and the offset plus the positive ones times 255, and for most pixels that is answer enough.
 */
function findCertain(coefficients: Float32Array, { low, high }: AlphaLevels): Uint8Array {
  const certain = new Uint8Array(coefficients.length / 4);
  for (let at = 0; at < certain.length; at++) {
    let least = coefficients[4 * at + 3] as number;
    let most = least;
    for (let index = 0; index < 3; index++) {
      const reach = (coefficients[4 * at + index] as number) * 255;
      least += Math.min(reach, 0);
      most += Math.max(reach, 0);
    }
    certain[at] = most <= low ? 0 : least >= high ? 255 : open;
  }
  return certain;
}

/** A row of pixels between two columns of the guide. */
interface Cell {
  before: number;
  after: number;
  from: number;
  to: number;
  /** Share of `after` at the first pixel, and how much it grows with each. */
  share: number;
  step: number;
}

function cellsAlong(length: number, coarse: number): Cell[] {
  const cells: Cell[] = [];
  for (let index = 0; index < length; index++) {
    const { before, after, share } = position(index, length, coarse);
    const last = cells.at(-1);
    if (last?.before === before) {
      last.step = (share - last.share) / (index - last.from);
      last.to = index + 1;
    } else cells.push({ before, after, from: index, to: index + 1, share, step: 0 });
  }
  return cells;
}

interface Line {
  coefficients: Float32Array;
  certain: Uint8Array;
}

/** The line of the guide at this height, between two of its rows. */
function mixLines(
  { width, coefficients }: AlphaFit,
  { certain, at: { before, after, share }, line }: { certain: Uint8Array; at: Position; line: Line },
): void {
  const [upper, lower] = [before * width, after * width];
  for (let at = 0; at < 4 * width; at++) {
    line.coefficients[at] = mix(coefficients[4 * upper + at] as number, coefficients[4 * lower + at] as number, share);
  }
  for (let x = 0; x < width; x++) {
    const state = certain[upper + x] as number;
    line.certain[x] = state === certain[lower + x] ? state : open;
  }
}

function fillCell(
  alpha: Uint8Array,
  rows: Pixels,
  { y, cell, line, levels: { low, high } }: { y: number; cell: Cell; line: Line; levels: AlphaLevels },
): void {
  const start = y * rows.width;
  const state = line.certain[cell.before] as number;
  if (state !== open && state === line.certain[cell.after]) {
    alpha.fill(state, start + cell.from, start + cell.to);
    return;
  }
  const { coefficients } = line;
  const [before, after] = [4 * cell.before, 4 * cell.after];
  for (let x = cell.from, share = cell.share; x < cell.to; x++, share += cell.step) {
    const at = (start + x) * rows.channels;
    const value =
      mix(coefficients[before] as number, coefficients[after] as number, share) * (rows.data[at] as number) +
      mix(coefficients[before + 1] as number, coefficients[after + 1] as number, share) *
        (rows.data[at + 1] as number) +
      mix(coefficients[before + 2] as number, coefficients[after + 2] as number, share) *
        (rows.data[at + 2] as number) +
      mix(coefficients[before + 3] as number, coefficients[after + 3] as number, share);
    alpha[start + x] = value <= low ? 0 : value >= high ? 255 : Math.round(((value - low) / (high - low)) * 255);
  }
}
