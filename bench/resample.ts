import type { Pixels, Size } from '#src/engine/media/media.js';

interface Kernel {
  /** Pixels to each side at scale 1. */
  support: number;
  weight(distance: number): number;
}

/** Keys' cubic with a = −0.5, as Pillow's BICUBIC and MATLAB's `imresize`. */
export const bicubic: Kernel = {
  support: 2,
  weight(x) {
    const d = Math.abs(x);
    if (d < 1) return 1.5 * d ** 3 - 2.5 * d ** 2 + 1;
    return d < 2 ? -0.5 * d ** 3 + 2.5 * d ** 2 - 4 * d + 2 : 0;
  },
};

/** Sinc windowed by a wider sinc, three lobes, as Pillow's LANCZOS. */
export const lanczos: Kernel = {
  support: 3,
  weight: (x) => (Math.abs(x) < 3 ? sinc(x) * sinc(x / 3) : 0),
};

/** Resized as Pillow does: antialiased when shrinking, first along rows, then along columns, 8 bits in between. */
export function resample(picture: Pixels, size: Size, kernel: Kernel): Pixels {
  return transposed(alongRows(transposed(alongRows(picture, size.width, kernel)), size.height, kernel));
}

function alongRows({ data, width, height, channels }: Pixels, target: number, kernel: Kernel): Pixels {
  const out = new Uint8ClampedArray(target * height * channels);
  const taps = Array.from({ length: target }, (_, at) => tapsAt(at, width / target, { width, kernel }));
  for (let y = 0; y < height; y += 1) {
    for (const [x, { first, weights }] of taps.entries()) {
      for (let channel = 0; channel < channels; channel += 1) {
        let sum = 0;
        let from = (y * width + first) * channels + channel;
        for (const weight of weights) {
          sum += weight * (data[from] as number);
          from += channels;
        }
        // Pillow rounds halves up, a clamped array to even.
        out[(y * target + x) * channels + channel] = Math.floor(sum + 0.5);
      }
    }
  }
  return { data: new Uint8Array(out.buffer), width: target, height, channels };
}

/** The pixels that one pixel of the result is made of, and their shares. */
function tapsAt(at: number, scale: number, { width, kernel }: { width: number; kernel: Kernel }) {
  const stretch = Math.max(1, scale);
  const centre = (at + 0.5) * scale;
  const reach = kernel.support * stretch;
  const first = Math.max(0, Math.floor(centre - reach + 0.5));
  const end = Math.min(width, Math.floor(centre + reach + 0.5));
  const raw = Array.from({ length: end - first }, (_, tap) => kernel.weight((first + tap - centre + 0.5) / stretch));
  const total = raw.reduce((sum, weight) => sum + weight, 0);
  return { first, weights: raw.map((weight) => weight / total) };
}

function transposed({ data, width, height, channels }: Pixels): Pixels {
  const out = new Uint8Array(data.length);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const [from, to] = [(y * width + x) * channels, (x * height + y) * channels];
      for (let channel = 0; channel < channels; channel += 1) out[to + channel] = data[from + channel] as number;
    }
  }
  return { data: out, width: height, height: width, channels };
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}
