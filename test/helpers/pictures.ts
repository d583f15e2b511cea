import type { Pixels, Plane, Size } from '#src/engine/media/media.js';
import type { PixelReader } from '#src/engine/operations/workbench.js';
import { random } from './tiny-models.js';

/** A picture of noise, the same for the same seed. */
export function noise({ width, height }: Size, channels: 3 | 4, seed = 5): Pixels {
  const next = random(seed);
  const data = Uint8Array.from({ length: width * height * channels }, () => Math.floor((next() + 1) * 128));
  return { data, width, height, channels };
}

/** A picture painted pixel by pixel. */
export function paint(
  { width, height }: Size,
  channels: 3 | 4,
  colour: (x: number, y: number) => readonly number[],
): Pixels {
  const data = new Uint8ClampedArray(width * height * channels);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) data.set(colour(x, y), (y * width + x) * channels);
  }
  return { data: new Uint8Array(data.buffer), width, height, channels };
}

/** A plane painted pixel by pixel. */
export function paintPlane({ width, height }: Size, value: (x: number, y: number) => number): Plane {
  const data = Float32Array.from({ length: width * height }, (_, at) => value(at % width, Math.floor(at / width)));
  return { data, width, height };
}

/** Reads a picture that is in memory; `reads` tells how many rows were asked for each time. */
export function readerOf(picture: Pixels): PixelReader & { reads: number[] } {
  const { width, height, channels } = picture;
  if (channels === 1) throw new Error('Expected a picture in colour');
  const reads: number[] = [];
  return {
    width,
    height,
    channels,
    reads,
    async readRows(top, rows) {
      if (top < 0 || rows < 1 || top + rows > height) throw new Error(`Rows ${top}..${top + rows} of ${height}`);
      reads.push(rows);
      return {
        data: picture.data.slice(top * width * channels, (top + rows) * width * channels),
        width,
        height: rows,
        channels,
      };
    },
    async close() {},
  };
}

/** Rows that were written, put together again. */
export function joinRows(bands: Pixels[]): Pixels {
  const [first] = bands;
  if (!first) throw new Error('Nothing was written');
  const data = new Uint8Array(Buffer.concat(bands.map((band) => band.data)));
  return { ...first, data, height: bands.reduce((sum, band) => sum + band.height, 0) };
}

/** Peak signal-to-noise ratio in dB; Infinity when equal. */
export function psnr(found: Uint8Array, expected: Uint8Array): number {
  if (found.length !== expected.length) throw new Error(`${found.length} samples, expected ${expected.length}`);
  const squares = found.reduce((sum, value, at) => sum + (value - (expected[at] as number)) ** 2, 0);
  return 10 * Math.log10((255 ** 2 * found.length) / squares);
}

/** A picture with straight alpha on a background. */
export function onBackground({ data, width, height }: Pixels, background: readonly [number, number, number]): Pixels {
  return paint({ width, height }, 3, (x, y) => {
    const at = 4 * (y * width + x);
    const alpha = (data[at + 3] as number) / 255;
    return background.map((value, channel) => (data[at + channel] as number) * alpha + value * (1 - alpha));
  });
}
