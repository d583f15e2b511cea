import type { Pixels } from '../../engine/media/media.js';
import type { PixelReader } from '../../engine/operations/workbench.js';
import { type Canvas, openCanvas } from './canvas.js';
import { type Box, findHoles, widen, windowAround } from './holes.js';
import type { InpaintModel, Sketch } from '../model.js';
import { continueTexture } from './texture.js';

export interface InpaintOptions {
  /** Takes the next rows of the result, from top to bottom; they begin at `top`. */
  write(rows: Pixels, top: number): Promise<void>;
  /** Rows in which nothing was filled are not written. Default false. */
  onlyFilled?: boolean;
  /** Called before every run of the model with the share that is done; throws to stop. */
  checkpoint(fraction: number): void;
}

// Pixels around a hole from which its filling is made: half as many as the hole is large, but within these.
const leastContext = 64;
const mostContext = 128;

// Few enough to stay in the cache of a core, enough to keep the disk out of it.
const rowsAtATime = 128;

/**
 * Fills what `mask` marks (1 channel of the picture's size, any sample but 0), texture included, and writes the picture by
 * rows. Everything else, alpha too, comes back bit for bit. Each hole is filled in a window around it, so that time and memory depend on the
 * holes and not on the picture; one that is larger than a window is sketched as a whole first, then filled window by
 * window, each going on from those before. Errors: those of the model.
 */
export async function inpaint(
  source: PixelReader,
  mask: Pixels,
  model: InpaintModel,
  { write, checkpoint, onlyFilled = false }: InpaintOptions,
): Promise<void> {
  const holes = findHoles(mask);
  const canvas = openCanvas(source, mask, holes);
  for (const [index, hole] of holes.entries()) {
    await fillHole(canvas, hole, model, (fraction) => checkpoint((index + fraction) / holes.length));
  }
  for (let top = 0; top < source.height; top += rowsAtATime) {
    const rows = Math.min(rowsAtATime, source.height - top);
    if (onlyFilled && !holes.some((hole) => hole.top < top + rows && hole.top + hole.height > top)) continue;
    await write(await canvas.readRows(top, rows), top);
  }
}

type Checkpoint = (fraction: number) => void;

async function fillHole(canvas: Canvas, hole: Box, model: InpaintModel, checkpoint: Checkpoint): Promise<void> {
  const window = windowFor(hole, canvas, model);
  if (Math.max(window.width, window.height) <= model.size) {
    checkpoint(0);
    const { pixels, mask } = await canvas.view(window);
    const filled = await model.fill(pixels, mask);
    canvas.paint(model.paintsTexture ? filled : continueTexture(filled, mask), window, hole);
  } else await fillByParts(canvas, hole, model, checkpoint);
}

/** What a model is shown of a hole at once, if it is not too large. */
function windowFor(hole: Box, canvas: Canvas, model: InpaintModel): Box {
  const longest = Math.max(hole.width, hole.height);
  if (model.hasFixedSize && longest + 2 * leastContext <= model.size) return windowAround(hole, model.size, canvas);
  return widen(hole, Math.min(contextOf(model), Math.max(leastContext, Math.ceil(longest / 2))), canvas);
}

async function fillByParts(canvas: Canvas, hole: Box, model: InpaintModel, checkpoint: Checkpoint): Promise<void> {
  const factor = shrinkFactor(hole, model);
  const context = contextOf(model);
  const parts = split(hole, model.size - 2 * context - factor).filter((part) => canvas.unknownShare(part) > 0);
  const step = (index: number) => checkpoint(index / (parts.length + 1));
  if (isThin(canvas, parts, model)) return fillThin(canvas, parts, { model, step });
  step(0);
  const sketch = await sketchOf(canvas, widen(hole, context, canvas, factor), { model, factor });
  for (const [index, part] of parts.entries()) {
    step(index + 1);
    const window = widen(part, context, canvas, factor);
    const { pixels, mask } = await canvas.view(window);
    const filled = await model.fill(pixels, mask, cropSketch(sketch, window));
    canvas.paint(continueTexture(filled, mask), window, part);
  }
}

// Of a window: what is unknown of it at most, where a model that paints texture does better without a sketch.
const mostUnknown = 0.4;

/** Whether each part of a hole can be filled from what is around it alone: scratches, wires, lettering. */
function isThin(canvas: Canvas, parts: readonly Box[], model: InpaintModel): boolean {
  if (!model.paintsTexture) return false;
  return parts.every((part) => canvas.unknownShare(windowAround(part, model.size, canvas)) <= mostUnknown);
}

async function fillThin(
  canvas: Canvas,
  parts: readonly Box[],
  { model, step }: { model: InpaintModel; step(index: number): void },
): Promise<void> {
  for (const [index, part] of parts.entries()) {
    step(index);
    const window = windowAround(part, model.size, canvas);
    const { pixels, mask } = await canvas.view(window);
    canvas.paint(await model.fill(pixels, mask), window, part);
  }
}

/** What a place was filled with at a smaller size. */
interface Sketched {
  pixels: Pixels;
  factor: number;
  place: Box;
}

async function sketchOf(
  canvas: Canvas,
  place: Box,
  { model, factor }: { model: InpaintModel; factor: number },
): Promise<Sketched> {
  const { pixels, mask } = await canvas.smallView(place, factor);
  return { pixels: await model.fill(pixels, mask), factor, place };
}

/** The most context that leaves half of a window to the hole. */
function contextOf({ size }: InpaintModel): number {
  return Math.min(mostContext, size / 4);
}

/** The power of two by which a hole with its context must be made smaller for one run. */
function shrinkFactor({ width, height }: Box, model: InpaintModel): number {
  const longest = Math.max(width, height) + 2 * contextOf(model);
  return 2 ** Math.ceil(Math.log2((longest + model.size / 8) / model.size));
}

/** A box as boxes whose sides are at most this long, all about alike. */
function split(box: Box, side: number): Box[] {
  const [columns, rows] = [Math.ceil(box.width / side), Math.ceil(box.height / side)];
  const edge = (index: number, count: number, length: number) => Math.round((index * length) / count);
  return Array.from({ length: columns * rows }, (_, index) => {
    const [column, row] = [index % columns, Math.floor(index / columns)];
    const [x, y] = [edge(column, columns, box.width), edge(row, rows, box.height)];
    return {
      left: box.left + x,
      top: box.top + y,
      width: edge(column + 1, columns, box.width) - x,
      height: edge(row + 1, rows, box.height) - y,
    };
  });
}

/** The sketch of a window out of that of the place around it. */
function cropSketch({ pixels: { data, width }, factor, place }: Sketched, window: Box): Sketch {
  const [left, top] = [(window.left - place.left) / factor, (window.top - place.top) / factor];
  const size = { width: Math.ceil(window.width / factor), height: Math.ceil(window.height / factor) };
  const pixels = new Uint8Array(3 * size.width * size.height);
  for (let y = 0; y < size.height; y++) {
    const from = 3 * ((top + y) * width + left);
    pixels.set(data.subarray(from, from + 3 * size.width), 3 * y * size.width);
  }
  return { pixels: { data: pixels, ...size, channels: 3 }, factor };
}
