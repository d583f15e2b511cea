import type { Pixels, Size } from '../../engine/media/media.js';
import { blurPlane } from '../pixels/blur.js';

/** A filled picture at one of several sizes. */
export interface Layer extends Size {
  /** Interleaved, 3 channels, 0..255. */
  colours: Float32Array;
  /** 1 where it was filled. */
  hole: Uint8Array;
}

/** A picture (3 channels) and its mask (1 channel, not 0 where the picture was filled) as a layer. */
export function toLayer(filled: Pixels, mask: Pixels): Layer {
  const { width, height } = filled;
  const hole = mask.data.map((mark) => (mark === 0 ? 0 : 1));
  return { width, height, hole, colours: new Float32Array(filled.data) };
}

/** Averages of each 2×2 block; a block counts as filled if any of it is. An odd last row or column is left out. */
export function halveLayer({ colours, hole, width, height }: Layer): Layer {
  const size = { width: width >> 1, height: height >> 1 };
  const area = size.width * size.height;
  const half: Layer = { ...size, colours: new Float32Array(3 * area), hole: new Uint8Array(area) };
  for (let y = 0, to = 0; y < size.height; y++) {
    for (let x = 0; x < size.width; x++, to++) {
      const from = 2 * (y * width + x);
      for (const at of [from, from + 1, from + width, from + width + 1]) {
        half.hole[to] = (half.hole[to] as number) | (hole[at] as number);
        for (let channel = 0; channel < 3; channel++)
          half.colours[3 * to + channel] =
            (half.colours[3 * to + channel] as number) + (colours[3 * at + channel] as number) / 4;
      }
    }
  }
  return half;
}

/** What is added to the colours of a layer of half the size (3 channels), added to those of the hole: bilinear. */
export function addDoubled({ colours, hole, width }: Layer, added: Float32Array, half: Size): Float32Array {
  const result = colours.slice();
  for (let at = 0; at < hole.length; at++) {
    if (hole[at] === 0) continue;
    const { corners, shares } = cornersOf(at % width, Math.floor(at / width), half);
    for (let channel = 0; channel < 3; channel++) {
      let sum = colours[3 * at + channel] as number;
      for (let index = 0; index < 4; index++)
        sum += (shares[index] as number) * (added[3 * (corners[index] as number) + channel] as number);
      result[3 * at + channel] = sum;
    }
  }
  return result;
}

/** The four pixels of half the size around a pixel, and their shares of it. */
function cornersOf(x: number, y: number, { width, height }: Size): { corners: number[]; shares: number[] } {
  const [left, top] = [(x - 1) >> 1, (y - 1) >> 1];
  const columns = [Math.max(0, left), Math.min(width - 1, left + 1)];
  const rows = [Math.max(0, top), Math.min(height - 1, top + 1)];
  const across = x % 2 === 0 ? 0.75 : 0.25;
  const down = y % 2 === 0 ? 0.75 : 0.25;
  return {
    corners: rows.flatMap((row) => columns.map((column) => row * width + column)),
    shares: [(1 - across) * (1 - down), across * (1 - down), (1 - across) * down, across * down],
  };
}

/** Colours blurred almost as by a Gaussian; beyond the borders is nothing that counts. */
export function blurColours(colours: Float32Array, { width, height }: Size, deviation: number): Float32Array {
  const spread = { across: deviation, down: deviation };
  const shares = blurPlane({ data: new Float32Array(width * height).fill(1), width, height }, spread).data;
  const result = new Float32Array(colours.length);
  for (let channel = 0; channel < 3; channel++) {
    const plane = shares.map((_, at) => colours[3 * at + channel] as number);
    const { data } = blurPlane({ data: plane, width, height }, spread);
    for (let at = 0; at < data.length; at++) result[3 * at + channel] = (data[at] as number) / (shares[at] as number);
  }
  return result;
}

/** BT.601 luma of interleaved colours. */
export function lumaOf(colours: Float32Array): Float32Array {
  const result = new Float32Array(colours.length / 3);
  for (let at = 0, from = 0; at < result.length; at++, from += 3) {
    const [red, green, blue] = [colours[from] as number, colours[from + 1] as number, colours[from + 2] as number];
    result[at] = 0.299 * red + 0.587 * green + 0.114 * blue;
  }
  return result;
}

/** How deep in the hole every pixel lies: its way to something known in steps to any of eight neighbours, 0 outside. */
export function depthsOf({ hole, width, height }: Layer): Uint16Array {
  // With a frame, since nothing is known beyond the picture.
  const wide = width + 2;
  const depths = new Uint16Array(wide * (height + 2)).fill(Math.max(width, height));
  const places = Uint32Array.from(hole, (_, at) => at + 1 + wide + 2 * Math.floor(at / width));
  places.forEach((place, at) => {
    if (hole[at] === 0) depths[place] = 0;
  });
  const lower = (place: number, direction: 1 | -1): void => {
    if (depths[place] === 0) return;
    for (const step of [1, wide - 1, wide, wide + 1])
      depths[place] = Math.min(depths[place] as number, (depths[place - direction * step] as number) + 1);
  };
  for (const place of places) lower(place, 1);
  for (const place of places.toReversed()) lower(place, -1);
  return Uint16Array.from(places, (place) => depths[place] as number);
}
