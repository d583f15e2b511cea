import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { expect, onTestFinished } from 'vitest';
import { EngineError, type ErrorCode } from '#src/engine/errors.js';
import { createImageKit } from '#src/engine/media/image.js';
import type { ImageLimits, Pixels } from '#src/engine/media/media.js';
import type { ImageKit } from '#src/engine/operations/workbench.js';

/** The limits of the default settings. */
export const limits: ImageLimits = { maxBytes: 50e6, maxPixels: 50e6, maxSide: 30_000 };

/** An empty folder of the running test, removed after it. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'media-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A file of the running test. */
export function saved(bytes: Uint8Array, name = 'picture', folder = temporaryFolder()): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

/** A kit with a folder of the running test. */
export function makeKit(): ImageKit {
  return createImageKit({ folder: temporaryFolder(), limits });
}

/** Numbers 0..1, the same for the same seed (Park and Miller's generator). */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

/** A picture in which every pixel differs from its neighbours and no side looks like another. */
export function scene<Channels extends 1 | 3 | 4>(
  width: number,
  height: number,
  channels: Channels,
): Pixels & { channels: Channels } {
  const data = new Uint8Array(width * height * channels);
  const random = randomNumbers(width * 1000 + height);
  for (let at = 0, y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const [across, down] = [x / width, y / height];
      const ramps = [across, down, (1 - across) * down, 0.2 + 0.8 * across];
      for (let channel = 0; channel < channels; channel += 1, at += 1) {
        data[at] = Math.round((ramps[channel] ?? 0) * 230 + random() * 25);
      }
    }
  }
  return { data, width, height, channels };
}

/** What sharp is told to write: `(picture) => picture.png()`. */
export type Write = (picture: Sharp) => Sharp;

/** The pixels as a file of the format that `write` asks for. */
export function bytesOf({ data, width, height, channels }: Pixels, write: Write = asPng): Promise<Buffer> {
  return write(sharp(data, { raw: { width, height, channels } })).toBuffer();
}

const asPng: Write = (picture) => picture.png();

/** A plain area of one colour. */
export function flat(width: number, height: number, colour: number[]): Pixels {
  const data = new Uint8Array(width * height * colour.length).map((_, index) => colour[index % colour.length] ?? 0);
  return { data, width, height, channels: colour.length as 3 | 4 };
}

/** Fails unless the work throws an EngineError of this code that names the field; gives its message. */
export async function refusal(work: Promise<unknown>, code: ErrorCode, param = 'image'): Promise<string> {
  const error = await work.then(
    (value) => expect.fail(`Expected ${code}, got ${JSON.stringify(value)}`),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof EngineError)) throw error;
  expect({ code: error.code, param: error.details.param }, error.message).toEqual({ code, param });
  return error.message;
}

/** The largest difference of two pictures of the same shape. */
export function largestDifference(one: Pixels, other: Pixels): number {
  expect([one.width, one.height, one.channels]).toEqual([other.width, other.height, other.channels]);
  return one.data.reduce((most, value, index) => Math.max(most, Math.abs(value - (other.data[index] ?? 999))), 0);
}

/**
 * A little-endian TIFF with these directories (tag to value, in ascending order; 273 and 324 are counted from the start
 * of `data`, which follows them). `next` of the last directory is 0 or the place of another one.
 */
export function handmadeTiff(directories: Record<number, number>[], data: Uint8Array, next = 0): Buffer {
  const sizes = directories.map((tags) => 2 + Object.keys(tags).length * 12 + 4);
  const dataAt = 8 + sizes.reduce((sum, size) => sum + size, 0);
  const out = Buffer.alloc(dataAt);
  out.write('II*\0\x08', 0, 'latin1');
  let at = 8;
  directories.forEach((tags, index) => {
    const entries = Object.entries(tags);
    out.writeUInt16LE(entries.length, at);
    entries.forEach(([tag, value], entry) => {
      const place = at + 2 + entry * 12;
      out.writeUInt16LE(Number(tag), place);
      out.writeUInt16LE(4, place + 2);
      out.writeUInt32LE(1, place + 4);
      out.writeUInt32LE(tag === '273' || tag === '324' ? dataAt + value : value, place + 8);
    });
    at += sizes[index] ?? 0;
    out.writeUInt32LE(index < directories.length - 1 ? at : next, at - 4);
  });
  return Buffer.concat([out, data]);
}
