import type { Pixels } from '../../engine/media/media.js';

/** What becomes of each of the 256 sample values of red, green and blue. */
export type ToneCurves = readonly [Uint8Array, Uint8Array, Uint8Array];

/** What a picture's colours say of its light. */
export interface ToneFacts {
  /** Colour of the light, red and blue relative to green in linear light, 1 for white. */
  light: { red: number; blue: number };
  /** Whether two ways to estimate the light, by its brightest parts and by its edges, say the same. */
  isCertain: boolean;
  /** Levels 0..255 between which all but half a percent of the pixels at each end lie. */
  black: number;
  white: number;
  /** Median level between those two, 0..1. */
  middle: number;
}

// More than this is a coloured thing, or a mood, and not the light.
const strongestCast = 1.8;

/** Measures a picture, which may be a small copy of it; pixels that are nearly transparent do not count. */
export function measureTones(pixels: Pixels): ToneFacts {
  const histogram = new Float64Array(256);
  const sums = [0, 0, 0];
  const edges = [0, 0, 0];
  const { data, channels } = pixels;
  for (let at = 0; at < data.length; at += channels) {
    if (channels === 4 && (data[at + 3] as number) < 128) continue;
    const colour = [data[at] as number, data[at + 1] as number, data[at + 2] as number];
    const luma = Math.round(0.299 * (colour[0] ?? 0) + 0.587 * (colour[1] ?? 0) + 0.114 * (colour[2] ?? 0));
    histogram[luma] = (histogram[luma] as number) + 1;
    // A clipped channel no longer says how much light there was.
    if (Math.max(...colour) > 250 || Math.max(...colour) < 8) continue;
    for (let channel = 0; channel < 3; channel++) {
      const linear = toLinear[colour[channel] as number] as number;
      sums[channel] = (sums[channel] as number) + linear ** norm;
      const next = data[at + channels + channel];
      const step = next === undefined || next > 250 ? 0 : Math.abs(linear - (toLinear[next] as number));
      edges[channel] = (edges[channel] as number) + step ** norm;
    }
  }
  const [bright, edge] = [lightOf(sums), lightOf(edges)];
  const light = { red: Math.sqrt(bright.red * edge.red), blue: Math.sqrt(bright.blue * edge.blue) };
  const isCertain =
    Math.abs(Math.log(bright.red / edge.red)) < agreement && Math.abs(Math.log(bright.blue / edge.blue)) < agreement;
  const [black, white] = [quantile(histogram, 0.005), quantile(histogram, 0.995)];
  const middle = white > black ? (quantile(histogram, 0.5) - black) / (white - black) : 0.5;
  return { light, isCertain, black, white, middle };
}

// A tenth: less than the difference between two kinds of lamps.
const agreement = 0.1;

function lightOf(sums: number[]): ToneFacts['light'] {
  const [red = 0, green = 0, blue = 0] = sums.map((sum) => sum ** (1 / norm));
  const ratio = (value: number) => (green > 0 && value > 0 ? bounded(value / green, strongestCast) : 1);
  return { red: ratio(red), blue: ratio(blue) };
}

export interface ToneRepair {
  /** How much of the cast of the light is taken out, 0..1. */
  whiteBalance: number;
  /** How much of the missing range and of a wrong brightness is made good, 0..1. */
  exposure: number;
}

/** Curves that make a picture's light white and use the whole range of levels. */
export function toneCurves(facts: ToneFacts, { whiteBalance, exposure }: ToneRepair): ToneCurves {
  const { light } = facts;
  const gains = [1 / light.red, 1, 1 / light.blue].map((gain) => gain ** whiteBalance);
  // As bright afterwards as before: only the balance of the colours is to change.
  const weights = [0.2126, 0.7152, 0.0722];
  const brightness = gains.reduce((sum, gain, channel) => sum + gain * (weights[channel] as number), 0);
  const level = levelCurve(facts, exposure);
  const curve = (gain: number) =>
    Uint8Array.from({ length: 256 }, (_, value) => {
      const balanced = fromLinear((toLinear[value] as number) * (gain / brightness));
      return Math.round(255 * level(balanced));
    });
  const [red = 1, green = 1, blue = 1] = gains;
  return [curve(red), curve(green), curve(blue)];
}

/** Applies the curves in place; alpha is left alone. */
export function applyCurves(pixels: Pixels, [red, green, blue]: ToneCurves): void {
  const { data, channels } = pixels;
  for (let at = 0; at < data.length; at += channels) {
    data[at] = red[data[at] as number] as number;
    data[at + 1] = green[data[at + 1] as number] as number;
    data[at + 2] = blue[data[at + 2] as number] as number;
  }
}

/** Whether the light is visibly coloured, and surely: an eighth in red or blue. */
export function hasCast({ light, isCertain }: ToneFacts): boolean {
  if (!isCertain) return false;
  return Math.max(...[light.red, light.blue].map((ratio) => Math.max(ratio, 1 / ratio))) > 1.12;
}

/** Whether much of the range is unused, or the picture as a whole is too dark. */
export function isBadlyExposed({ black, white, middle }: ToneFacts): boolean {
  return white - black < 200 || middle < darkest;
}

/**
 * "Shades of grey" (Finlayson and Trezzi 2004) and "grey edge" (van de Weijer et al. 2007): the Minkowski mean with this
 * exponent lies between the average, which a large coloured thing pulls away, and the brightest spot.
 */
const norm = 6;

/** A median below this is too dark; none is too bright, since a product on white has it at the top. */
const darkest = 0.25;

/** Never more than this, or noise in the shadows would be all that is seen. */
const mostStretch = 2.5;

/** A curve from 0..1 to 0..1: the range is stretched, and a power moves the median to where it should be. */
function levelCurve({ black, white, middle }: ToneFacts, strength: number): (value: number) => number {
  const range = Math.max(255 / mostStretch, white - black);
  const [low, span] = [(black / 255) * strength, 1 + (range / 255 - 1) * strength];
  const wanted = Math.max(darkest, middle);
  const power = middle > 0 && middle < 1 ? bounded(Math.log(wanted) / Math.log(middle), 2) ** strength : 1;
  return (value) => Math.min(1, Math.max(0, (value - low) / span)) ** power;
}

function bounded(ratio: number, most: number): number {
  return Math.min(most, Math.max(1 / most, ratio));
}

/** The level below which this share of the pixels lies. */
function quantile(histogram: Float64Array, share: number): number {
  const total = histogram.reduce((sum, count) => sum + count, 0);
  let below = 0;
  for (const [level, count] of histogram.entries()) {
    below += count;
    if (below > share * total) return level;
  }
  return 255;
}

/** IEC 61966-2-1. */
const toLinear: Float64Array = Float64Array.from({ length: 256 }, (_, value) => {
  const level = value / 255;
  return level <= 0.04045 ? level / 12.92 : ((level + 0.055) / 1.055) ** 2.4;
});

/** 0..1, clipped. */
function fromLinear(linear: number): number {
  const level = Math.min(1, Math.max(0, linear));
  return level <= 0.0031308 ? level * 12.92 : 1.055 * level ** (1 / 2.4) - 0.055;
}
