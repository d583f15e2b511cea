/** IEC 61966-2-1: what each of the 256 levels is in linear light, 0..1. */
const linearLevels: Float64Array = Float64Array.from({ length: 256 }, (_, value) => {
  const level = value / 255;
  return level <= 0.04045 ? level / 12.92 : ((level + 0.055) / 1.055) ** 2.4;
});

/** Rows of the matrices between linear sRGB and CIE XYZ, white (D65) at 1, 1, 1. */
const toY = [0.2126729, 0.7151522, 0.072175] as const;
const toX = [0.4124564 / 0.95047, 0.3575761 / 0.95047, 0.1804375 / 0.95047] as const;
const toZ = [0.0193339 / 1.08883, 0.119192 / 1.08883, 0.9503041 / 1.08883] as const;
const toRed = [3.2404542 * 0.95047, -1.5371385, -0.4985314 * 1.08883] as const;
const toGreen = [-0.969266 * 0.95047, 1.8760108, 0.041556 * 1.08883] as const;
const toBlue = [0.0556434 * 0.95047, -0.2040259, 1.0572252 * 1.08883] as const;

/** Luminance in linear light, 0..1, of an sRGB colour of 8 bits. */
export function luminance(red: number, green: number, blue: number): number {
  return weighted(toY, linearLevels[red] as number, linearLevels[green] as number, linearLevels[blue] as number);
}

/** The grey, 0..255 and not rounded, of this luminance. */
export function greyOf(light: number): number {
  return 255 * fromLinear(light);
}

/** a and b of CIE Lab (D65) of an sRGB colour of 8 bits, written to `into`. */
export function chromaOf(red: number, green: number, blue: number, into: Float32Array): void {
  const [r, g, b] = [linearLevels[red] as number, linearLevels[green] as number, linearLevels[blue] as number];
  const height = bend(weighted(toY, r, g, b));
  into[0] = 500 * (bend(weighted(toX, r, g, b)) - height);
  into[1] = 200 * (height - bend(weighted(toZ, r, g, b)));
}

/** The sRGB colour, 0..255 and not rounded, of this luminance with these a and b, written to `into`; clipped where there is none. */
export function colourOf(light: number, { a, b }: { a: number; b: number }, into: Float32Array): void {
  const height = bend(light);
  const [x, z] = [unbend(height + a / 500), unbend(height - b / 200)];
  into[0] = 255 * fromLinear(weighted(toRed, x, light, z));
  into[1] = 255 * fromLinear(weighted(toGreen, x, light, z));
  into[2] = 255 * fromLinear(weighted(toBlue, x, light, z));
}

function weighted(weights: readonly [number, number, number], one: number, two: number, three: number): number {
  return weights[0] * one + weights[1] * two + weights[2] * three;
}

/** The cube root of CIE Lab with its straight foot, of 0 to 1. */
function bend(value: number): number {
  return lookUp(bends, value);
}

function unbend(value: number): number {
  const cube = value * value * value;
  return cube > 216 / 24389 ? cube : (116 * value - 16) / (24389 / 27);
}

/** 0..1, clipped. */
function fromLinear(linear: number): number {
  return lookUp(levels, Math.min(1, Math.max(0, linear)));
}

// Roots and powers for every pixel would be nine tenths of the work; between so many steps a straight line is off by less
// than a hundredth of a level.
const steps = 4096;

const bends = tableOf((value) => (value > 216 / 24389 ? Math.cbrt(value) : ((24389 / 27) * value + 16) / 116));
const levels = tableOf((value) => (value <= 0.0031308 ? value * 12.92 : 1.055 * value ** (1 / 2.4) - 0.055));

function tableOf(value: (at: number) => number): Float64Array {
  return Float64Array.from({ length: steps + 2 }, (_, index) => value(index / steps));
}

/** The value of a table at 0..1. */
function lookUp(table: Float64Array, at: number): number {
  const index = Math.floor(at * steps);
  const value = table[index] as number;
  return value + (at * steps - index) * ((table[index + 1] as number) - value);
}
