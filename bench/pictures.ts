import sharp from 'sharp';
import type { Pixels, Size } from '#src/engine/media/media.js';

/** A picture as 8-bit RGB, whatever alpha it has left out. */
export async function readRgb(source: string | Buffer): Promise<Pixels> {
  const { data, info } = await sharp(source)
    .removeAlpha()
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height, channels: 3 };
}

export async function writePng({ data, width, height, channels }: Pixels, path: string): Promise<void> {
  await sharp(data, { raw: { width, height, channels } }).png({ compressionLevel: 1 }).toFile(path);
}

/** The upper left part of this size. */
export function crop({ data, width, channels }: Pixels, size: Size): Pixels {
  const cut = new Uint8Array(size.width * size.height * channels);
  for (let row = 0; row < size.height; row += 1) {
    const from = row * width * channels;
    cut.set(data.subarray(from, from + size.width * channels), row * size.width * channels);
  }
  return { data: cut, ...size, channels };
}

/** The same noise in every run: normal deviates by Box and Muller over mulberry32. */
export function withNoise(clean: Pixels, sigma: number): Pixels {
  let state = 7;
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (((mixed ^ (mixed >>> 14)) >>> 0) + 0.5) / 2 ** 32;
  };
  const data = Uint8Array.from(clean.data, (value) => {
    const deviate = Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
    return Math.min(255, Math.max(0, Math.round(value + sigma * deviate)));
  });
  return { ...clean, data };
}

/** Decibels between two pictures, all samples alike; Infinity if they are the same. */
export function psnr(one: Pixels, other: Pixels): number {
  let sum = 0;
  for (let at = 0; at < one.data.length; at += 1) sum += ((one.data[at] as number) - (other.data[at] as number)) ** 2;
  return decibels(sum / one.data.length);
}

/** As papers on super-resolution measure it: BT.601 studio-range luma, `border` pixels left out on each side. */
export function lumaPsnr(one: Pixels, other: Pixels, border: number): number {
  let sum = 0;
  for (let y = border; y < one.height - border; y += 1) {
    for (let x = border; x < one.width - border; x += 1) {
      const at = (y * one.width + x) * 3;
      sum += (luma(one.data, at) - luma(other.data, at)) ** 2;
    }
  }
  return decibels(sum / ((one.width - 2 * border) * (one.height - 2 * border)));
}

function luma(data: Uint8Array, at: number): number {
  return (
    16 + (65.481 * (data[at] as number) + 128.553 * (data[at + 1] as number) + 24.966 * (data[at + 2] as number)) / 255
  );
}

function decibels(meanSquare: number): number {
  return 10 * Math.log10(255 ** 2 / meanSquare);
}
