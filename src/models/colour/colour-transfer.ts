import type { Pixels } from '../../engine/media/media.js';

/** Mean and spread of lightness and the two colour axes of a picture. */
export interface ColourStatistics {
  mean: readonly [number, number, number];
  deviation: readonly [number, number, number];
}

/** Measures a picture, which may be a small copy; what is nearly transparent does not count. */
export function colourStatistics({ data, channels }: Pixels): ColourStatistics {
  const sums = [0, 0, 0];
  const squares = [0, 0, 0];
  let count = 0;
  const lab: Triple = [0, 0, 0];
  for (let at = 0; at < data.length; at += channels) {
    if (channels === 4 && (data[at + 3] as number) < 128) continue;
    toLab(data, at, lab);
    count += 1;
    for (let axis = 0; axis < 3; axis++) {
      const value = lab[axis] as number;
      sums[axis] = (sums[axis] as number) + value;
      squares[axis] = (squares[axis] as number) + value * value;
    }
  }
  const mean = sums.map((sum) => sum / Math.max(1, count));
  const deviation = squares.map((sum, axis) =>
    Math.sqrt(Math.max(0, sum / Math.max(1, count) - (mean[axis] as number) ** 2)),
  );
  return { mean: mean as unknown as Triple, deviation: deviation as unknown as Triple };
}

/** A contrast or a saturation is never changed by more than this: noise would be all that is seen. */
const mostStretch = 2.2;

/**
 * Gives rows the mean and the spread of other colours, in place, by `strength` 0..1: Reinhard et al. 2001, in Oklab
 * (Ottosson 2020), whose axes are as independent and whose lightness is nearer to the eye. Returns nothing.
 */
export function transferColours(
  rows: Pixels,
  { from, to, strength }: { from: ColourStatistics; to: ColourStatistics; strength: number },
): void {
  const { data, channels } = rows;
  const gains = from.deviation.map((own, axis) => {
    const ratio = own > 1e-4 ? (to.deviation[axis] as number) / own : 1;
    return Math.min(mostStretch, Math.max(1 / mostStretch, ratio));
  });
  const lab: Triple = [0, 0, 0];
  for (let at = 0; at < data.length; at += channels) {
    toLab(data, at, lab);
    for (let axis = 0; axis < 3; axis++) {
      const value = lab[axis] as number;
      const wanted = (value - (from.mean[axis] as number)) * (gains[axis] as number) + (to.mean[axis] as number);
      lab[axis] = value + (wanted - value) * strength;
    }
    fromLab(lab, data, at);
  }
}

type Triple = [number, number, number];

/** IEC 61966-2-1. */
const linear: Float64Array = Float64Array.from({ length: 256 }, (_, value) => {
  const level = value / 255;
  return level <= 0.04045 ? level / 12.92 : ((level + 0.055) / 1.055) ** 2.4;
});

/** sRGB to Oklab; the numbers are those of its definition. */
function toLab(data: Uint8Array, at: number, lab: Triple): void {
  const red = linear[data[at] as number] as number;
  const green = linear[data[at + 1] as number] as number;
  const blue = linear[data[at + 2] as number] as number;
  const long = Math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue);
  const middle = Math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue);
  const short = Math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue);
  lab[0] = 0.2104542553 * long + 0.793617785 * middle - 0.0040720468 * short;
  lab[1] = 1.9779984951 * long - 2.428592205 * middle + 0.4505937099 * short;
  lab[2] = 0.0259040371 * long + 0.7827717662 * middle - 0.808675766 * short;
}

function fromLab([lightness, a, b]: Triple, data: Uint8Array, at: number): void {
  const long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const middle = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const short = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  data[at] = toLevel(4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short);
  data[at + 1] = toLevel(-1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short);
  data[at + 2] = toLevel(-0.0041960863 * long - 0.7034186147 * middle + 1.707614701 * short);
}

function toLevel(value: number): number {
  const clipped = Math.min(1, Math.max(0, value));
  const level = clipped <= 0.0031308 ? clipped * 12.92 : 1.055 * clipped ** (1 / 2.4) - 0.055;
  return Math.round(255 * level);
}
