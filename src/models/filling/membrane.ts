import type { Pixels, Size } from '../../engine/media/media.js';

/** A picture with a hole: float planes [3, height, width] of 0..1, and per pixel the share of it that is unknown. */
export interface Holed extends Size {
  colours: Float32Array;
  unknown: Float32Array;
}

// Of relaxation per level: enough where the level below is already smooth, and as many as the networks were trained with.
const rounds = 6;

// A pixel that is unknown but for rounding is filled, not kept.
const whole = 0.999;

/**
 * A crop (3 channels) and its mask (1 channel, 0 known .. 255 unknown) as planes whose sides are multiples of `granule`: what
 * is added to the right and below is unknown. Unknown pixels are black, so that nothing of them can leak into a fill.
 */
export function openHole(crop: Pixels, mask: Pixels, granule: number): Holed {
  const width = Math.ceil(crop.width / granule) * granule;
  const height = Math.ceil(crop.height / granule) * granule;
  const area = width * height;
  const colours = new Float32Array(3 * area);
  const unknown = new Float32Array(area).fill(1);
  for (let y = 0; y < crop.height; y++) {
    for (let x = 0, to = y * width, from = y * crop.width; x < crop.width; x++, to++, from++) {
      if (mask.data[from] !== 0) continue;
      unknown[to] = 0;
      for (let channel = 0; channel < 3; channel++)
        colours[to + channel * area] = (crop.data[3 * from + channel] as number) / 255;
    }
  }
  return { colours, unknown, width, height };
}

/** Half the size: averages of the known parts of each 2×2 block. Both sides must be even. */
export function halve({ colours, unknown, width, height }: Holed): Holed {
  const size = { width: width / 2, height: height / 2 };
  const [area, fine] = [size.width * size.height, width * height];
  const half: Holed = { ...size, colours: new Float32Array(3 * area), unknown: new Float32Array(area) };
  for (let y = 0, to = 0; y < size.height; y++) {
    for (let x = 0; x < size.width; x++, to++) {
      const from = 2 * (y * width + x);
      const shares = [from, from + 1, from + width, from + width + 1].map((at) => 1 - (unknown[at] as number));
      const [a, b, c, d] = shares as [number, number, number, number];
      const known = a + b + c + d;
      half.unknown[to] = 1 - known / 4;
      if (known === 0) continue;
      for (let channel = 0; channel < 3; channel++) {
        const at = from + channel * fine;
        const upper = a * (colours[at] as number) + b * (colours[at + 1] as number);
        const lower = c * (colours[at + width] as number) + d * (colours[at + width + 1] as number);
        half.colours[to + channel * area] = (upper + lower) / known;
      }
    }
  }
  return half;
}

/** Planes of twice the size, bilinear, centres on centres. */
export function double(planes: Float32Array, { width, height }: Size): Float32Array {
  const wide = 2 * width;
  const result = new Float32Array(4 * planes.length);
  const row = new Float32Array(width);
  const count = planes.length / width;
  for (let y = 0; y < count; y++) {
    const first = Math.floor(y / height) * height;
    for (const step of [0, 1]) {
      const other = Math.min(Math.max(y + 2 * step - 1, first), first + height - 1);
      for (let x = 0; x < width; x++)
        row[x] = 0.75 * (planes[y * width + x] as number) + 0.25 * (planes[other * width + x] as number);
      let to = (2 * y + step) * wide;
      for (let x = 0; x < width; x++, to += 2) {
        const value = 0.75 * (row[x] as number);
        result[to] = value + 0.25 * (row[Math.max(0, x - 1)] as number);
        result[to + 1] = value + 0.25 * (row[Math.min(width - 1, x + 1)] as number);
      }
    }
  }
  return result;
}

/**
 * The smoothest fill of what is wholly unknown, Laplace's equation with the known pixels at its border, solved from coarse
 * to fine (cascadic multigrid, Bornemann and Deuflhard 1996). Known pixels keep their colours.
 */
export function membrane(holed: Holed): Float32Array {
  const { width, height } = holed;
  if (width * height === 1) return holed.colours;
  const even = width % 2 === 0 && height % 2 === 0 ? holed : evenSided(holed);
  const coarse = double(membrane(halve(even)), { width: even.width / 2, height: even.height / 2 });
  return refineMembrane(holed, even === holed ? coarse : cropped(coarse, even, holed));
}

/** The membrane of a picture that has it at half the size already; `doubled` is that one at the size of the picture. */
export function refineMembrane({ colours, unknown, width, height }: Holed, doubled: Float32Array): Float32Array {
  const area = width * height;
  const holes: number[] = [];
  for (let at = 0; at < area; at++) if ((unknown[at] as number) > whole) holes.push(at);
  const places = Uint32Array.from(holes);
  const result = colours.slice();
  for (let channel = 0; channel < 3; channel++) {
    const plane = result.subarray(channel * area, (channel + 1) * area);
    const start = doubled.subarray(channel * area, (channel + 1) * area);
    for (const at of places) plane[at] = start[at] as number;
    relax(plane, places, { width, height });
  }
  return result;
}

/** Moves every place towards the average of its neighbours, all at once. */
function relax(plane: Float32Array, places: Uint32Array, { width, height }: Size): void {
  const means = new Float32Array(places.length);
  const last = (height - 1) * width;
  for (let round = 0; round < rounds; round++) {
    for (let index = 0; index < places.length; index++) {
      const at = places[index] as number;
      const x = at % width;
      const left = plane[x > 0 ? at - 1 : at] as number;
      const right = plane[x < width - 1 ? at + 1 : at] as number;
      const up = plane[at >= width ? at - width : at] as number;
      const down = plane[at < last ? at + width : at] as number;
      means[index] = (left + right + up + down) / 4;
    }
    for (let index = 0; index < places.length; index++) plane[places[index] as number] = means[index] as number;
  }
}

/** With one more unknown column or row where a side is odd. */
function evenSided(holed: Holed): Holed {
  const width = holed.width + (holed.width % 2);
  const height = holed.height + (holed.height % 2);
  const unknown = new Float32Array(width * height).fill(1);
  const colours = new Float32Array(3 * width * height);
  for (let y = 0; y < holed.height; y++) {
    const from = y * holed.width;
    unknown.set(holed.unknown.subarray(from, from + holed.width), y * width);
    for (let channel = 0; channel < 3; channel++) {
      const start = from + channel * holed.width * holed.height;
      colours.set(holed.colours.subarray(start, start + holed.width), (channel * height + y) * width);
    }
  }
  return { colours, unknown, width, height };
}

/** The upper left part of planes. */
function cropped(planes: Float32Array, from: Size, { width, height }: Size): Float32Array {
  const result = new Float32Array(3 * width * height);
  for (let channel = 0; channel < 3; channel++) {
    for (let y = 0; y < height; y++) {
      const start = (channel * from.height + y) * from.width;
      result.set(planes.subarray(start, start + width), (channel * height + y) * width);
    }
  }
  return result;
}
