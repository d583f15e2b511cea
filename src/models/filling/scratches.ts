import type { Pixels } from '../../engine/media/media.js';

export interface ScratchOptions {
  /** 0..1: how faint a scratch may be. */
  strength: number;
}

/**
 * A mask (1 channel, 255 on a scratch) of thin long lines that are brighter or darker than both of their sides, by more
 * than what stands out around them (Kokaram's model of film scratches, without its assumption that they are vertical);
 * only what hangs together and is long is kept.
 */
export function findScratches(pixels: Pixels, { strength }: ScratchOptions): Pixels {
  const { width, height } = pixels;
  const luma = lumaOf(pixels);
  const reach = Math.max(2, Math.round(Math.min(width, height) / 250));
  const line = ridges(luma, { width, height }, reach);
  const around = boxMean(line, { width, height }, 6 * reach + 3);
  // Among leaves and hair everything stands out; a scratch stands out of what is around it.
  const factor = 7 - 4 * strength;
  const least = 16 - 12 * strength;
  const marked = Uint8Array.from(line, (value, at) =>
    value > Math.max(least, factor * (around[at] as number)) ? 1 : 0,
  );
  const data = new Uint8Array(width * height);
  for (const part of components(marked, width)) {
    if (isScratch(part, { reach, side: Math.min(width, height) })) for (const at of part.pixels) data[at] = 255;
  }
  return { data: dilate(data, { width, height }, 1 + Math.ceil(reach / 3)), width, height, channels: 1 };
}

interface Extent {
  width: number;
  height: number;
}

function lumaOf({ data, width, height, channels }: Pixels): Float32Array {
  const luma = new Float32Array(width * height);
  for (let at = 0, from = 0; at < luma.length; at++, from += channels) {
    luma[at] = 0.299 * (data[from] as number) + 0.587 * (data[from + 1] as number) + 0.114 * (data[from + 2] as number);
  }
  return luma;
}

/** How far a pixel stands out of both sides of a line through it, in the best of four directions; 0 on an edge or a slope. */
function ridges(luma: Float32Array, { width, height }: Extent, reach: number): Float32Array {
  const found = new Float32Array(luma.length);
  const across = [
    [1, 0],
    [0, 1],
    [1, 1],
    [1, -1],
  ] as const;
  for (let y = reach; y < height - reach; y++) {
    for (let x = reach; x < width - reach; x++) {
      const at = y * width + x;
      let best = 0;
      for (const [dx, dy] of across) {
        const step = reach * (dy * width + dx);
        const [before, after, here] = [luma[at - step] as number, luma[at + step] as number, luma[at] as number];
        const out = Math.max(here - Math.max(before, after), Math.min(before, after) - here);
        // The two sides of a scratch are the same thing; those of a border are not.
        best = Math.max(best, out - Math.abs(before - after));
      }
      found[at] = best;
    }
  }
  return found;
}

/** The mean of the square of this reach around every pixel, by sums over all pixels above and to the left. */
function boxMean(plane: Float32Array, { width, height }: Extent, reach: number): Float32Array {
  const sums = new Float64Array((width + 1) * (height + 1));
  for (let y = 0; y < height; y++) {
    let row = 0;
    for (let x = 0; x < width; x++) {
      row += plane[y * width + x] as number;
      sums[(y + 1) * (width + 1) + x + 1] = (sums[y * (width + 1) + x + 1] as number) + row;
    }
  }
  const at = (x: number, y: number) => sums[y * (width + 1) + x] as number;
  return plane.map((_, index) => {
    const [x, y] = [index % width, Math.floor(index / width)];
    const [left, right] = [Math.max(0, x - reach), Math.min(width, x + reach + 1)];
    const [top, bottom] = [Math.max(0, y - reach), Math.min(height, y + reach + 1)];
    const sum = at(right, bottom) - at(left, bottom) - at(right, top) + at(left, top);
    return sum / ((right - left) * (bottom - top));
  });
}

interface Part {
  pixels: number[];
  width: number;
  height: number;
}

/** The parts of a mask that hang together, corners included. */
function* components(marked: Uint8Array, width: number): Generator<Part> {
  const height = marked.length / width;
  for (let start = 0; start < marked.length; start++) {
    if (marked[start] !== 1) continue;
    const pixels = [start];
    marked[start] = 2;
    let [left, right, top, bottom] = [width, 0, height, 0];
    for (const at of pixels) {
      const [x, y] = [at % width, Math.floor(at / width)];
      [left, right, top, bottom] = [Math.min(left, x), Math.max(right, x), Math.min(top, y), Math.max(bottom, y)];
      for (let ny = Math.max(0, y - 1); ny <= Math.min(height - 1, y + 1); ny++) {
        for (let nx = Math.max(0, x - 1); nx <= Math.min(width - 1, x + 1); nx++) {
          const next = ny * width + nx;
          if (marked[next] !== 1) continue;
          marked[next] = 2;
          pixels.push(next);
        }
      }
    }
    yield { pixels, width: right - left + 1, height: bottom - top + 1 };
  }
}

/** Long and thin: at least a fifteenth of the picture, and nowhere as wide as what the search could see. */
function isScratch({ pixels, width, height }: Part, { reach, side }: { reach: number; side: number }): boolean {
  const length = Math.hypot(width, height);
  const thickness = pixels.length / length;
  return length >= side / 15 && thickness <= 2 * reach && length / thickness >= 8;
}

function dilate(mask: Uint8Array, { width, height }: Extent, reach: number): Uint8Array {
  const grown = new Uint8Array(mask.length);
  for (let at = 0; at < mask.length; at++) {
    if (mask[at] === 0) continue;
    const [x, y] = [at % width, Math.floor(at / width)];
    for (let ny = Math.max(0, y - reach); ny <= Math.min(height - 1, y + reach); ny++) {
      grown.fill(255, ny * width + Math.max(0, x - reach), ny * width + Math.min(width - 1, x + reach) + 1);
    }
  }
  return grown;
}
