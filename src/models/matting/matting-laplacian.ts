import type { Pixels } from '../../engine/media/media.js';

/** Which pixels of a picture are asked for, and the windows that tie them to their neighbours. */
export interface MattingLaplacian {
  /** Positions of the unknown pixels in the picture. */
  unknown: Int32Array;
  /** Per unknown pixel, its entry on the diagonal; 0 where no window reaches it. */
  diagonal: Float64Array;
  /** Writes the product with `values` (one for each pixel of the picture) into `product`, at the unknown pixels and around them. */
  multiply(values: Float64Array, product: Float64Array): void;
}

/** Windows are 3 × 3, as in the paper. */
const area = 9;

/** What a window is made of: its mean colour and the inverse of its covariance, which is symmetric. */
const stride = 9;

/**
 * The matting Laplacian of Levin, Lischinski and Weiss ("A Closed-Form Solution to Natural Image Matting", PAMI 2008) of a
 * picture (3 channels) as far as pixels reach that are not known, never written down as a matrix: its product with a plane
 * is what is left of the plane when every window is fitted to its own colours (He, Sun and Tang, CVPR 2010). `epsilon` is
 * the variance of colours (0..1) that counts as noise.
 */
export function mattingLaplacian(
  picture: Pixels,
  isUnknown: (at: number) => boolean,
  epsilon: number,
): MattingLaplacian {
  const { width, height } = picture;
  const unknown = Int32Array.from(positions(width * height, isUnknown));
  const centres = Int32Array.from(windowsAround(unknown, picture));
  const windows = new Float64Array(centres.length * stride);
  for (const [index, centre] of centres.entries())
    describeWindow(picture, { centre, epsilon }, windows, index * stride);
  const colours = Float64Array.from(picture.data, (sample) => sample / 255);
  const field = { colours, width, centres, windows };
  return {
    unknown,
    diagonal: diagonalOf(field, unknown, width * height),
    multiply(values, product) {
      for (const centre of centres) eachRow(centre, width, (at) => product.fill(0, at, at + 3));
      for (let index = 0; index < centres.length; index++) addResidual(field, index, values, product);
    },
  };
}

interface Field {
  colours: Float64Array;
  width: number;
  centres: Int32Array;
  windows: Float64Array;
}

function* positions(length: number, isUnknown: (at: number) => boolean): Generator<number> {
  for (let at = 0; at < length; at++) if (isUnknown(at)) yield at;
}

/** The centres of all whole windows that hold an unknown pixel. */
function* windowsAround(unknown: Int32Array, { width, height }: Pixels): Generator<number> {
  const seen = new Uint8Array(width * height);
  for (const at of unknown) {
    const [x, y] = [at % width, Math.floor(at / width)];
    for (let row = Math.max(1, y - 1); row <= Math.min(height - 2, y + 1); row++) {
      for (let column = Math.max(1, x - 1); column <= Math.min(width - 2, x + 1); column++) {
        const centre = row * width + column;
        if (seen[centre] === 1) continue;
        seen[centre] = 1;
        yield centre;
      }
    }
  }
}

/** Calls back with the first of the three pixels of each row of a window. */
function eachRow(centre: number, width: number, visit: (at: number) => void): void {
  visit(centre - width - 1);
  visit(centre - 1);
  visit(centre + width - 1);
}

function describeWindow(
  { data, width }: Pixels,
  { centre, epsilon }: { centre: number; epsilon: number },
  windows: Float64Array,
  to: number,
): void {
  let [r, g, b, rr, rg, rb, gg, gb, bb] = [0, 0, 0, 0, 0, 0, 0, 0, 0];
  eachRow(centre, width, (start) => {
    for (let at = 3 * start; at < 3 * start + 9; at += 3) {
      const [red, green, blue] = [
        (data[at] as number) / 255,
        (data[at + 1] as number) / 255,
        (data[at + 2] as number) / 255,
      ];
      r += red / area;
      g += green / area;
      b += blue / area;
      rr += (red * red) / area;
      rg += (red * green) / area;
      rb += (red * blue) / area;
      gg += (green * green) / area;
      gb += (green * blue) / area;
      bb += (blue * blue) / area;
    }
  });
  const noise = epsilon / area;
  const inverse = invert(
    rr - r * r + noise,
    rg - r * g,
    rb - r * b,
    gg - g * g + noise,
    gb - g * b,
    bb - b * b + noise,
  );
  windows.set([r, g, b, ...inverse], to);
}

/** The upper triangle of the inverse of a symmetric 3 × 3 matrix, given by its own. */
function invert(...[a, b, c, d, e, f]: [number, number, number, number, number, number]): number[] {
  const [c00, c01, c02] = [d * f - e * e, c * e - b * f, b * e - c * d];
  const scale = 1 / (a * c00 + b * c01 + c * c02);
  return [c00, c01, c02, a * f - c * c, b * c - a * e, a * d - b * b].map((cofactor) => cofactor * scale);
}

/** Adds what is left of the values in a window when a plane of the three colours is fitted to them. */
function addResidual(field: Field, index: number, values: Float64Array, product: Float64Array): void {
  const { colours, width, centres, windows } = field;
  const first = (centres[index] as number) - width - 1;
  const window = index * stride;
  const [mr, mg, mb] = [windows[window] as number, windows[window + 1] as number, windows[window + 2] as number];
  let [sum, r, g, b] = [0, 0, 0, 0];
  for (let start = first; start < first + 3 * width; start += width) {
    for (let at = start; at < start + 3; at++) {
      const value = values[at] as number;
      sum += value;
      r += value * (colours[3 * at] as number);
      g += value * (colours[3 * at + 1] as number);
      b += value * (colours[3 * at + 2] as number);
    }
  }
  const [cr, cg, cb] = [(r - mr * sum) / area, (g - mg * sum) / area, (b - mb * sum) / area];
  const [i0, i1, i2] = [windows[window + 3] as number, windows[window + 4] as number, windows[window + 5] as number];
  const [i3, i4, i5] = [windows[window + 6] as number, windows[window + 7] as number, windows[window + 8] as number];
  const red = i0 * cr + i1 * cg + i2 * cb;
  const green = i1 * cr + i3 * cg + i4 * cb;
  const blue = i2 * cr + i4 * cg + i5 * cb;
  const offset = sum / area - red * mr - green * mg - blue * mb;
  for (let start = first; start < first + 3 * width; start += width) {
    for (let at = start; at < start + 3; at++) {
      const fitted =
        red * (colours[3 * at] as number) +
        green * (colours[3 * at + 1] as number) +
        blue * (colours[3 * at + 2] as number);
      product[at] = (product[at] as number) + (values[at] as number) - fitted - offset;
    }
  }
}

/** Per window and pixel: 1 − (1 + (I − μ)ᵀ Σ⁻¹ (I − μ)) / 9. */
function diagonalOf({ colours, width, centres, windows }: Field, unknown: Int32Array, length: number): Float64Array {
  const sums = new Float64Array(length);
  for (const [index, centre] of centres.entries()) {
    const [mr = 0, mg = 0, mb = 0, i0 = 0, i1 = 0, i2 = 0, i3 = 0, i4 = 0, i5 = 0] = windows.subarray(index * stride);
    eachRow(centre, width, (start) => {
      for (let at = start; at < start + 3; at++) {
        const r = (colours[3 * at] as number) - mr;
        const g = (colours[3 * at + 1] as number) - mg;
        const b = (colours[3 * at + 2] as number) - mb;
        const distance = i0 * r * r + i3 * g * g + i5 * b * b + 2 * (i1 * r * g + i2 * r * b + i4 * g * b);
        sums[at] = (sums[at] as number) + 1 - (1 + distance) / area;
      }
    });
  }
  return Float64Array.from(unknown, (at) => sums[at] as number);
}
