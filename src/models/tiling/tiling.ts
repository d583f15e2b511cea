import type { Pixels } from '../../engine/media/media.js';
import type { PixelReader } from '../../engine/operations/workbench.js';
import { mendFaults } from './faults.js';
import type { UpscaleModel } from '../model.js';
import { feather, granule, planTiles, roundUp, type Span, type TileLimits } from './tile-plan.js';
import { bleedReach, enlargeTransparent } from './transparency.js';

export interface EnlargeOptions {
  /** Takes the next rows of the result; their memory is used again once it settles. */
  write(rows: Pixels): Promise<void>;
  /** Called before every tile with the share that is done; throws to stop. */
  checkpoint(fraction: number): void;
  /** Longest side of a tile in pixels of the input, overlap included, a multiple of 8; default 384. */
  tile?: number;
  /** The model for tiles that come out wrong, in higher precision; null if there is none. Default: there is none. */
  fallback?(): Promise<UpscaleModel | null>;
}

// A pixel costs the same in tiles of every size on a CPU (measured for 96..768), so a larger tile saves overlap; but it is
// also what a cancelled job waits for: 384 × 384 are 1 s on one core for our own nets, 4 s for Real-ESRGAN's general one.
const defaultTile = 384;

// A window is good for more than its overlap, whatever was asked for.
const leastUsed = 32;

// Bounds the memory for one row of tiles of the result, which grows with the width of the picture.
const bandBytes = 128_000_000;

/**
 * Enlarges a picture of any height tile by tile from top to bottom, in memory for one row of tiles. When the model's
 * overlap covers its receptive field, the result is exactly that of the whole picture in one run, borders included: the
 * tiles at a border end there instead of being padded. Tiles that come out black or as no numbers are made again by the
 * fallback. Errors: those of the model, `internal` for a tile that stays wrong.
 */
export async function enlarge(source: PixelReader, model: UpscaleModel, options: EnlargeOptions): Promise<void> {
  const { columns, rows } = planTiles(source, limitsFor(source, model, options.tile ?? defaultTile));
  const tiles = columns.length * rows.length;
  const careful = mendFaults(model, options.fallback ?? (async () => null));
  const memory = createBand(source, rows, model.scale);
  let done = 0;
  let carry: Uint8Array | null = null;
  for (const row of rows) {
    const input = await source.readRows(row.start, row.size);
    const band = bandFor(row, memory, model.scale);
    for (const column of columns) {
      options.checkpoint(done++ / tiles);
      const tile = crop(input, column);
      const large = await (tile.channels === 4 ? enlargeTransparent(tile, careful) : careful.upscale(tile));
      paste(large, band, { row, column, scale: model.scale });
    }
    const shared = feather * model.scale * band.width * band.channels;
    if (carry) mixRows(carry, band);
    const isLast = row === rows.at(-1);
    carry = isLast ? null : band.data.slice(band.data.length - shared);
    await options.write(isLast ? band : withoutEnd(band, feather * model.scale));
  }
}

function limitsFor({ width, channels }: PixelReader, { overlap, scale }: UpscaleModel, tile: number): TileLimits {
  const pad = overlap + (channels === 4 ? bleedReach : 0);
  const least = roundUp(2 * pad + feather + leastUsed);
  const affordable = Math.floor(bandBytes / (width * channels * scale ** 2) / granule) * granule;
  return { pad, width: Math.max(least, tile), height: Math.max(least, Math.min(tile, affordable)) };
}

/** Memory for the rows of the result that one row of tiles is used for: the same for all of them, one after the other. */
function createBand({ width, channels }: PixelReader, rows: Span[], scale: number): Pixels {
  const most = Math.max(...rows.map(({ from, to }) => to - from));
  const size = { width: width * scale, height: most * scale };
  return { data: new Uint8Array(size.width * size.height * channels), ...size, channels };
}

function bandFor({ from, to }: Span, memory: Pixels, scale: number): Pixels {
  const height = (to - from) * scale;
  return { ...memory, data: memory.data.subarray(0, memory.width * height * memory.channels), height };
}

function crop({ data, width, height, channels }: Pixels, { start, size }: Span): Pixels {
  if (size === width) return { data, width, height, channels };
  const tile = new Uint8Array(size * height * channels);
  for (let row = 0; row < height; row++) {
    const at = (row * width + start) * channels;
    tile.set(data.subarray(at, at + size * channels), row * size * channels);
  }
  return { data: tile, width: size, height, channels };
}

/** Puts the used part of a tile into its band; over the ramp it shares with the tile before, it is mixed in. */
function paste(tile: Pixels, band: Pixels, place: { row: Span; column: Span; scale: number }): void {
  const { row, column, scale } = place;
  const { channels } = tile;
  const ramp = column.from === 0 ? 0 : feather * scale;
  const used = (column.to - column.from) * scale;
  const left = (column.from - column.start) * scale;
  const top = (row.from - row.start) * scale;
  for (let y = 0; y < band.height; y++) {
    const source = ((top + y) * tile.width + left) * channels;
    const target = (y * band.width + column.from * scale) * channels;
    for (let at = 0; at < ramp * channels; at++) {
      const share = rise(Math.floor(at / channels), ramp);
      const before = band.data[target + at] as number;
      band.data[target + at] = Math.round(before + ((tile.data[source + at] as number) - before) * share);
    }
    const rest = tile.data.subarray(source + ramp * channels, source + used * channels);
    band.data.set(rest, target + ramp * channels);
  }
}

/** Mixes the first rows of a band with those that the band before ended with. */
function mixRows(carry: Uint8Array, { data, width, channels }: Pixels): void {
  const stride = width * channels;
  const rows = carry.length / stride;
  for (let row = 0; row < rows; row++) {
    const share = rise(row, rows);
    for (let at = row * stride; at < (row + 1) * stride; at++) {
      const before = carry[at] as number;
      data[at] = Math.round(before + ((data[at] as number) - before) * share);
    }
  }
}

/** Half a cosine from 0 to 1 over `length` pixels. */
function rise(index: number, length: number): number {
  return 0.5 - 0.5 * Math.cos((Math.PI * (index + 0.5)) / length);
}

function withoutEnd({ data, width, height, channels }: Pixels, rows: number): Pixels {
  const kept = height - rows;
  return { data: data.subarray(0, kept * width * channels), width, height: kept, channels };
}
