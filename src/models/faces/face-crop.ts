import type { Pixels, Size } from '../../engine/media/media.js';
import type { PixelReader } from '../../engine/operations/workbench.js';
import type { Box } from '../filling/holes.js';
import type { Point } from '../model.js';
import { inverse, moved, type Similarity, scaled, scaleOf } from './similarity.js';
import { type Colours, createSampler } from './warp-sampler.js';

/**
 * The part of a picture that `alignment` brings to `side` × `side` pixels, at that size (3 channels); where it reaches beyond
 * the picture, that is mirrored, as FFHQ has it. In memory for some rows of the picture and a few times the result, however large
 * the part is.
 */
export async function cropFace(source: PixelReader, alignment: Similarity, side: number): Promise<Pixels> {
  const back = inverse(alignment);
  const corners = [0, side].flatMap((x) => [0, side].map((y) => moved(back, { x, y })));
  const box = boxAround(corners, source);
  const factor = Math.max(1, Math.floor(scaleOf(back)));
  const region = await shrunkRegion(source, box, factor);
  const toBox = { ...back, dx: back.dx - box.left, dy: back.dy - box.top };
  const sample = createSampler(region, scaled(toBox, 1 / factor));
  const data = new Uint8ClampedArray(3 * side * side);
  for (let y = 0, to = 0; y < side; y++) {
    for (let x = 0; x < side; x++, to += 3) data.set(sample(x, y), to);
  }
  return { data: new Uint8Array(data.buffer), width: side, height: side, channels: 3 };
}

/** Pixels around a place that its colour is read from. */
const reach = 3;

/** The pixels of a picture between these places, and some around; at least one, even beyond its borders. */
export function boxAround(places: readonly Point[], picture: Size): Box {
  const span = (along: number[], length: number) => {
    const start = Math.min(Math.max(0, Math.floor(Math.min(...along)) - reach), length - 1);
    return { start, size: Math.max(1, Math.min(length, Math.ceil(Math.max(...along)) + reach) - start) };
  };
  const across = span(
    places.map(({ x }) => x),
    picture.width,
  );
  const down = span(
    places.map(({ y }) => y),
    picture.height,
  );
  return { left: across.start, top: down.start, width: across.size, height: down.size };
}

/** Rows that are read at a time. */
const bandRows = 64;

/** The mean of every `factor` × `factor` pixels of a box, the last ones of what there is. */
async function shrunkRegion(source: PixelReader, box: Box, factor: number): Promise<Colours> {
  const size = { width: Math.ceil(box.width / factor), height: Math.ceil(box.height / factor) };
  const result = new Float32Array(3 * size.width * size.height);
  const step = factor * Math.max(1, Math.floor(bandRows / factor));
  for (let top = 0; top < box.height; top += step) {
    const rows = await source.readRows(box.top + top, Math.min(step, box.height - top));
    for (let y = 0; y < rows.height; y++) {
      addRow(rows, y, { box, factor, line: result.subarray(3 * size.width * Math.floor((top + y) / factor)) });
    }
  }
  for (let at = 0; at < size.width * size.height; at++) {
    const across = Math.min(factor, box.width - (at % size.width) * factor);
    const down = Math.min(factor, box.height - Math.floor(at / size.width) * factor);
    for (let channel = 0; channel < 3; channel++)
      result[3 * at + channel] = (result[3 * at + channel] as number) / (across * down);
  }
  return { data: result, ...size };
}

interface Sums {
  box: Box;
  factor: number;
  line: Float32Array;
}

function addRow({ data, width, channels }: Pixels, row: number, { box, factor, line }: Sums): void {
  for (let x = 0, from = (row * width + box.left) * channels; x < box.width; x++, from += channels) {
    const to = 3 * Math.floor(x / factor);
    line[to] = (line[to] as number) + (data[from] as number);
    line[to + 1] = (line[to + 1] as number) + (data[from + 1] as number);
    line[to + 2] = (line[to + 2] as number) + (data[from + 2] as number);
  }
}
