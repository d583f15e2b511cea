import type { Pixels, Size } from '../../engine/media/media.js';
import type { UpscaleModel } from '../model.js';

/** How far colours are bled into what is transparent, in pixels: twice what most nets see sharply. */
export const bleedReach = 8;

/**
 * Enlarges a picture with straight alpha. Colours and alpha go through the network apart, the colours bled over the edge
 * first: the colour of a transparent pixel means nothing, and taking it in is what makes dark fringes.
 */
export async function enlargeTransparent(tile: Pixels, model: UpscaleModel): Promise<Pixels> {
  const range = alphaRange(tile);
  if (range.most === 0) return createPixels(tile, model.scale);
  const colours = await model.upscale(bleed(tile));
  const result = createPixels(tile, model.scale);
  const alpha = range.least === 255 ? null : await model.upscale(alphaAsGrey(tile));
  for (let at = 0; at < colours.width * colours.height; at++) {
    result.data[4 * at] = colours.data[3 * at] as number;
    result.data[4 * at + 1] = colours.data[3 * at + 1] as number;
    result.data[4 * at + 2] = colours.data[3 * at + 2] as number;
    result.data[4 * at + 3] = alpha ? (alpha.data[3 * at + 1] as number) : 255;
  }
  if (alpha) restoreUniformAlpha(tile, result, model.scale);
  return result;
}

/**
 * The colours of a picture with straight alpha, where those of fully transparent pixels within reach of visible ones are
 * the average of their nearest visible neighbours, weighted with their alpha.
 */
export function bleed({ data, width, height }: Pixels, reach: number = bleedReach): Pixels {
  const rgb = new Uint8Array(width * height * 3);
  const weights = new Uint8Array(width * height);
  for (let at = 0; at < weights.length; at++) {
    rgb.set(data.subarray(4 * at, 4 * at + 3), 3 * at);
    weights[at] = data[4 * at + 3] as number;
  }
  const picture = { rgb, weights, width, height };
  let front = edgeOf(picture);
  for (let step = 0; step < reach && front.length > 0; step++) front = advance(picture, front);
  return { data: rgb, width, height, channels: 3 };
}

interface Bleeding {
  rgb: Uint8Array;
  /** How much a pixel is to be trusted; 0 where it has no colour yet. */
  weights: Uint8Array;
  width: number;
  height: number;
}

/** The pixels without colour that touch one with colour. */
function edgeOf(picture: Bleeding): number[] {
  const front: number[] = [];
  for (let at = 0; at < picture.weights.length; at++) {
    if (picture.weights[at] === 0 && neighbours(picture, at).some((next) => picture.weights[next] !== 0))
      front.push(at);
  }
  return front;
}

/** Colours the pixels of the front and returns the front behind it. */
function advance(picture: Bleeding, front: number[]): number[] {
  const { rgb, weights } = picture;
  const coloured = front.map((at) => average(picture, at));
  const behind = new Set<number>();
  for (const [index, at] of front.entries()) {
    const [red, green, blue, weight] = coloured[index] as [number, number, number, number];
    rgb.set([red, green, blue], 3 * at);
    weights[at] = weight;
  }
  for (const at of front) {
    for (const next of neighbours(picture, at)) if (weights[next] === 0) behind.add(next);
  }
  return [...behind];
}

function average(picture: Bleeding, at: number): [number, number, number, number] {
  const sums = [0, 0, 0];
  let [total, count] = [0, 0];
  for (const next of neighbours(picture, at)) {
    const weight = picture.weights[next] as number;
    if (weight === 0) continue;
    for (let channel = 0; channel < 3; channel++) {
      sums[channel] = (sums[channel] as number) + weight * (picture.rgb[3 * next + channel] as number);
    }
    total += weight;
    count += 1;
  }
  const [red, green, blue] = sums.map((sum) => Math.round(sum / total)) as [number, number, number];
  return [red, green, blue, Math.max(1, Math.round(total / count))];
}

function neighbours({ width, height }: Size, at: number): number[] {
  const [x, y] = [at % width, Math.floor(at / width)];
  const found: number[] = [];
  for (let row = Math.max(0, y - 1); row <= Math.min(height - 1, y + 1); row++) {
    for (let column = Math.max(0, x - 1); column <= Math.min(width - 1, x + 1); column++)
      found.push(row * width + column);
  }
  return found;
}

function alphaRange({ data }: Pixels): { least: number; most: number } {
  let [least, most] = [255, 0];
  for (let at = 3; at < data.length; at += 4) {
    const alpha = data[at] as number;
    if (alpha < least) least = alpha;
    if (alpha > most) most = alpha;
  }
  return { least, most };
}

function alphaAsGrey({ data, width, height }: Pixels): Pixels {
  const grey = new Uint8Array(width * height * 3);
  for (let at = 0; at < width * height; at++) grey.fill(data[4 * at + 3] as number, 3 * at, 3 * at + 3);
  return { data: grey, width, height, channels: 3 };
}

/** A network may leave a 254 or a 2 in areas that are plainly opaque or transparent: those stay exactly what they were. */
function restoreUniformAlpha(tile: Pixels, result: Pixels, scale: number): void {
  for (let at = 0; at < tile.width * tile.height; at++) {
    const alpha = tile.data[4 * at + 3] as number;
    if (alpha !== 0 && alpha !== 255) continue;
    if (neighbours(tile, at).every((next) => tile.data[4 * next + 3] === alpha))
      fillBlock(result, at, { tile, scale, alpha });
  }
}

function fillBlock(
  result: Pixels,
  at: number,
  { tile, scale, alpha }: { tile: Pixels; scale: number; alpha: number },
): void {
  const [left, top] = [(at % tile.width) * scale, Math.floor(at / tile.width) * scale];
  for (let y = top; y < top + scale; y++) {
    for (let x = left; x < left + scale; x++) result.data[4 * (y * result.width + x) + 3] = alpha;
  }
}

function createPixels({ width, height }: Pixels, scale: number): Pixels {
  const size = { width: width * scale, height: height * scale };
  return { data: new Uint8Array(size.width * size.height * 4), ...size, channels: 4 };
}
