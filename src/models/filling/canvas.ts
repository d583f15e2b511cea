import type { Pixels, Size } from '../../engine/media/media.js';
import type { PixelReader } from '../../engine/operations/workbench.js';
import { type Box, union } from './holes.js';

/** A part of a picture and what is still to be filled in it. */
export interface View {
  /** 3 channels. */
  pixels: Pixels;
  /** 1 channel of the same size: 255 = fill, 0 = keep. */
  mask: Pixels;
}

/** A picture on disk whose holes are filled one after the other: what has been filled counts as known from then on. */
export interface Canvas extends Size {
  /** The picture as far as it is filled, all channels. */
  readRows(top: number, rows: number): Promise<Pixels>;
  view(box: Box): Promise<View>;
  /** The view of a box, `factor` times smaller: averages of what is known; what has nothing known is still to be filled. */
  smallView(box: Box, factor: number): Promise<View>;
  /** How much of the box is still to be filled, 0..1. */
  unknownShare(box: Box): number;
  /** Fills what is still to be filled in `part`, a part of `box`, from these pixels of the whole box. */
  paint(pixels: Pixels, box: Box, part: Box): void;
}

interface Patch extends Box {
  colours: Uint8Array;
  /** 1 where the patch covers the picture. */
  covers: Uint8Array;
}

/**
 * A canvas for a picture and its mask (any sample but 0 is to be filled) with these holes, in memory for the box around
 * them.
 */
export function openCanvas(source: PixelReader, mask: Pixels, holes: readonly Box[]): Canvas {
  const { width, height } = source;
  const pending = pendingOf(mask, holes);
  const patches: Patch[] = [];
  const readRows: Canvas['readRows'] = async (top, rows) => {
    const result = await source.readRows(top, rows);
    for (const patch of patches) lay(patch, result, top);
    return result;
  };
  const view: Canvas['view'] = async (box) => ({
    pixels: cropColours(await readRows(box.top, box.height), box),
    mask: { ...sizeOf(box), channels: 1, data: cut(pending, box) },
  });
  return {
    width,
    height,
    readRows,
    view,
    smallView: (box, factor) => shrink(view, box, factor),
    unknownShare: (box) => cut(pending, box).filter((mark) => mark !== 0).length / (box.width * box.height),
    paint(pixels, box, part) {
      const covers = cut(pending, part).map((mark) => mark & 1);
      const inner = { ...part, left: part.left - box.left, top: part.top - box.top };
      patches.push({ ...part, covers, colours: cropColours(rowsOf(pixels, inner), inner).data });
      clear(pending, part);
    },
  };
}

/** Lays what a patch covers over rows of the picture that begin at `top`. */
function lay(patch: Patch, { data, width, height, channels }: Pixels, top: number): void {
  const first = Math.max(patch.top, top);
  const end = Math.min(patch.top + patch.height, top + height);
  for (let y = first; y < end; y++) {
    let from = (y - patch.top) * patch.width;
    let to = ((y - top) * width + patch.left) * channels;
    for (let x = 0; x < patch.width; x++, from++, to += channels) {
      if (patch.covers[from] === 0) continue;
      data[to] = patch.colours[3 * from] as number;
      data[to + 1] = patch.colours[3 * from + 1] as number;
      data[to + 2] = patch.colours[3 * from + 2] as number;
    }
  }
}

/** The columns of a box out of rows that begin at its top, without alpha. */
function cropColours({ data, width, channels }: Pixels, box: Box): Pixels {
  const colours = new Uint8Array(3 * box.width * box.height);
  for (let y = 0, to = 0; y < box.height; y++) {
    let from = (y * width + box.left) * channels;
    for (let x = 0; x < box.width; x++, to += 3, from += channels) {
      colours[to] = data[from] as number;
      colours[to + 1] = data[from + 1] as number;
      colours[to + 2] = data[from + 2] as number;
    }
  }
  return { ...sizeOf(box), channels: 3, data: colours };
}

function rowsOf(pixels: Pixels, { top, height }: Box): Pixels {
  const stride = pixels.width * pixels.channels;
  return { ...pixels, height, data: pixels.data.subarray(top * stride, (top + height) * stride) };
}

/** What is still to be filled in the box around all holes: 255, elsewhere 0. */
interface Pending {
  box: Box;
  data: Uint8Array;
}

function pendingOf({ data: marks, width }: Pixels, holes: readonly Box[]): Pending {
  const box = holes.length > 0 ? holes.reduce(union) : { left: 0, top: 0, width: 0, height: 0 };
  const data = new Uint8Array(box.width * box.height);
  for (let y = 0, to = 0; y < box.height; y++) {
    let from = (box.top + y) * width + box.left;
    for (let x = 0; x < box.width; x++, to++, from++) data[to] = marks[from] === 0 ? 0 : 255;
  }
  return { box, data };
}

/** A box of it; beyond its own box is nothing to be filled. */
function cut({ box, data }: Pending, wanted: Box): Uint8Array {
  const result = new Uint8Array(wanted.width * wanted.height);
  for (const { y, from, end } of spans(box, wanted)) {
    result.set(data.subarray(from, end), y * wanted.width + Math.max(0, box.left - wanted.left));
  }
  return result;
}

function clear({ box, data }: Pending, part: Box): void {
  for (const { from, end } of spans(box, part)) data.fill(0, from, end);
}

/** Where the rows of a box lie in the data of another, as far as they do; `y` counts from the top of the former. */
function* spans(of: Box, box: Box): Generator<{ y: number; from: number; end: number }> {
  const [left, right] = [Math.max(0, box.left - of.left), Math.min(of.width, box.left + box.width - of.left)];
  const [top, bottom] = [Math.max(of.top, box.top), Math.min(of.top + of.height, box.top + box.height)];
  if (left >= right) return;
  for (let y = top; y < bottom; y++) {
    const start = (y - of.top) * of.width;
    yield { y: y - box.top, from: start + left, end: start + right };
  }
}

/** Band by band, so that the large view is never in memory. */
async function shrink(view: Canvas['view'], box: Box, factor: number): Promise<View> {
  const [width, height] = [Math.ceil(box.width / factor), Math.ceil(box.height / factor)];
  const pixels: Pixels = { data: new Uint8Array(3 * width * height), width, height, channels: 3 };
  const mask: Pixels = { data: new Uint8Array(width * height), width, height, channels: 1 };
  for (let row = 0; row < height; row++) {
    const rows = Math.min(factor, box.height - row * factor);
    averageBand(await view({ ...box, top: box.top + row * factor, height: rows }), { pixels, mask, row, factor });
  }
  return { pixels, mask };
}

interface SmallRow extends View {
  row: number;
  factor: number;
}

function averageBand(band: View, { pixels, mask, row, factor }: SmallRow): void {
  const { width } = pixels;
  const sums = new Float64Array(4 * width);
  for (let at = 0; at < band.mask.data.length; at++) {
    if (band.mask.data[at] !== 0) continue;
    const to = 4 * Math.floor((at % band.mask.width) / factor);
    for (let channel = 0; channel < 3; channel++)
      sums[to + channel] = (sums[to + channel] as number) + (band.pixels.data[3 * at + channel] as number);
    sums[to + 3] = (sums[to + 3] as number) + 1;
  }
  for (let x = 0; x < width; x++) {
    const known = sums[4 * x + 3] as number;
    mask.data[row * width + x] = known === 0 ? 255 : 0;
    for (let channel = 0; channel < 3; channel++) {
      const value = known === 0 ? 0 : (sums[4 * x + channel] as number) / known;
      pixels.data[3 * (row * width + x) + channel] = Math.round(value);
    }
  }
}

function sizeOf({ width, height }: Box): Size {
  return { width, height };
}
