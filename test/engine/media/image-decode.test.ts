import { readdirSync } from 'node:fs';
import sharp, { type Sharp } from 'sharp';
import { describe, expect, it } from 'vitest';
import { createImageKit } from '#src/engine/media/image.js';
import type { Pixels } from '#src/engine/media/media.js';
import type { ImageKit, PixelReader } from '#src/engine/operations/workbench.js';
import {
  bytesOf,
  flat,
  largestDifference,
  limits,
  makeKit,
  refusal,
  saved,
  scene,
  temporaryFolder,
  type Write,
} from './pictures.js';

/** Muted colours that every colour space used here can hold, each an area of 16 × 16. */
const colours = [
  [180, 90, 80],
  [90, 150, 100],
  [80, 90, 160],
  [128, 128, 128],
  [210, 200, 120],
  [40, 35, 30],
];

describe('ImageKit.decode', () => {
  it('gives 8-bit sRGB, with alpha where there is some', async () => {
    for (const picture of [scene(23, 17, 3), scene(23, 17, 4)]) {
      expect(largestDifference(await decode(await bytesOf(picture)), picture)).toBe(0);
    }
  });

  it('makes grey, grey with alpha, palettes and single bits to colours', async () => {
    const grey = scene(12, 9, 1);
    const tripled = Uint8Array.from([...grey.data].flatMap((value) => [value, value, value]));
    expect((await decode(await bytesOf(grey))).data).toEqual(Buffer.from(tripled));
    const greyAlpha = sharp(Buffer.from([10, 255, 200, 128, 90, 0]), { raw: { width: 3, height: 1, channels: 2 } });
    const { data } = await decode(await greyAlpha.png().toBuffer());
    expect([...data]).toEqual([10, 10, 10, 255, 200, 200, 200, 128, 90, 90, 90, 0]);
    const clear = flat(4, 4, [200, 100, 50, 128]);
    const palette = await bytesOf(clear, (picture) => picture.png({ palette: true }));
    expect(await sharp(palette).metadata()).toMatchObject({ isPalette: true });
    expect(largestDifference(await decode(palette), clear)).toBeLessThanOrEqual(1);
    const white = flat(4, 4, [255, 255, 255]);
    const bits = await bytesOf(white, (picture) => picture.toColourspace('b-w').tiff({ bitdepth: 1 }));
    expect(largestDifference(await decode(bits), white)).toBe(0);
  });

  it.each([
    ['16-bit PNG', 0, (picture) => picture.toColourspace('rgb16').png()],
    ['16-bit TIFF', 0, (picture) => picture.toColourspace('rgb16').tiff({ compression: 'lzw' })],
    ['12-bit AVIF', 1, (picture) => picture.avif({ lossless: true, bitdepth: 12 })],
    ['Lab TIFF', 1, (picture) => picture.toColourspace('lab').tiff({ compression: 'none' })],
    ['PNG in Display P3', 2, (picture) => picture.withIccProfile('p3').png()],
    ['16-bit PNG in Display P3', 2, (picture) => picture.withIccProfile('p3').toColourspace('rgb16').png()],
    ['16-bit PNG with an sRGB profile', 2, (picture) => picture.withIccProfile('srgb').toColourspace('rgb16').png()],
    // Neither way through a printing profile is exact; taken for inverted, the values would be off by more than 100.
    ['CMYK TIFF', 32, (picture) => picture.toColourspace('cmyk').tiff({ compression: 'none' })],
    ['CMYK JPEG', 32, (picture) => picture.toColourspace('cmyk').jpeg({ quality: 100 })],
    ['CMYK JPEG with its profile', 32, (picture) => picture.withIccProfile('cmyk').toColourspace('cmyk').jpeg()],
  ] as [string, number, Write][])('shows the colours of a %s within %i of 255', async (_, tolerance, write) => {
    const strips = colours.map((colour) => flat(16, 16, colour));
    const data = Buffer.concat(
      Array.from({ length: 16 }, (_, y) => strips.map((strip) => strip.data.subarray(y * 48, y * 48 + 48))).flat(),
    );
    const decoded = await decode(await bytesOf({ data, width: 96, height: 16, channels: 3 }, write));
    for (const [index, colour] of colours.entries()) {
      const at = (8 * 96 + index * 16 + 8) * 3;
      const off = colour.map((value, channel) => Math.abs(value - (decoded.data[at + channel] ?? 999)));
      expect(Math.max(...off), `colour ${colour}`).toBeLessThanOrEqual(tolerance);
    }
  });

  it('turns the picture as every EXIF orientation says', async () => {
    const seen = scene(31, 22, 3);
    for (const { orientation, bytes } of await storedEveryWay(seen)) {
      expect(largestDifference(await decode(bytes), seen), `orientation ${orientation}`).toBe(0);
    }
  });

  it('resizes to exactly the size asked for, also upright', async () => {
    const bytes = await bytesOf(scene(400, 300, 3), (picture) => picture.withMetadata({ orientation: 6 }).jpeg());
    const size = { width: 33, height: 77 };
    expect(await decode(bytes, { size })).toMatchObject({ ...size, channels: 3 });
    expect(await decode(await bytesOf(scene(1, 1, 3)), { size })).toMatchObject({ ...size, channels: 3 });
  });

  it('keeps the colour of a soft edge when it resizes', async () => {
    const half = flat(40, 40, [200, 30, 30, 255]);
    half.data = half.data.map((value, index) => (Math.floor(index / 4) % 40 < 22 ? value : 0));
    const { data } = await decode(await bytesOf(half), { size: { width: 5, height: 5 } });
    const [red = 0, , , alpha] = data.subarray(2 * 4, 3 * 4);
    expect(alpha).toBeGreaterThan(100);
    expect(alpha).toBeLessThan(250);
    expect(Math.abs(red - 200)).toBeLessThanOrEqual(3);
  });

  it('flattens on white for three channels and adds opaque alpha for four', async () => {
    const clear = flat(3, 3, [10, 20, 30, 0]);
    for (const write of [(picture: Sharp) => picture.png(), (picture: Sharp) => picture.toColourspace('rgb16').png()]) {
      const flattened = await decode(await bytesOf(clear, write), { channels: 3 });
      expect(largestDifference(flattened, flat(3, 3, [255, 255, 255]))).toBe(0);
    }
    const solid = await decode(await bytesOf(flat(3, 3, [10, 20, 30])), { channels: 4 });
    expect(largestDifference(solid, flat(3, 3, [10, 20, 30, 255]))).toBe(0);
  });

  it('checks the limits again and names the field that facts was told', async () => {
    const path = saved(await bytesOf(scene(60, 40, 3)));
    const kit = createImageKit({ folder: temporaryFolder(), limits: { ...limits, maxPixels: 100 } });
    await refusal(kit.facts(path, 'mask'), 'too_large', 'mask');
    await refusal(kit.decode(path), 'too_large', 'mask');
    await refusal(kit.open(path), 'too_large', 'mask');
  });
});

describe('ImageKit.open', () => {
  it.each([
    [1, 1],
    [1, 17],
    [19, 1],
    [37, 53],
  ])('reads the rows of a picture of %i × %i as decode gives them', async (width, height) => {
    for (const picture of [scene(width, height, 3), scene(width, height, 4)]) {
      const reader = await makeKit().open(saved(await bytesOf(picture)));
      expect(largestDifference(await readAll(reader), picture)).toBe(0);
    }
  });

  it('turns the picture as every EXIF orientation says', async () => {
    const seen = scene(31, 22, 3);
    for (const { orientation, bytes } of await storedEveryWay(seen)) {
      const reader = await makeKit().open(saved(bytes));
      expect(largestDifference(await readAll(reader), seen), `orientation ${orientation}`).toBe(0);
    }
  });

  it('makes every colour space to sRGB as decode does', async () => {
    const deep = await bytesOf(scene(20, 10, 4), (picture) =>
      picture.withIccProfile('p3').toColourspace('rgb16').png(),
    );
    const cmyk = await bytesOf(scene(20, 10, 3), (picture) => picture.toColourspace('cmyk').jpeg());
    for (const path of [saved(deep), saved(cmyk)]) {
      const reader = await makeKit().open(path);
      expect(largestDifference(await readAll(reader), await makeKit().decode(path))).toBe(0);
    }
  });

  it('leaves nothing behind once it is closed', async () => {
    const folder = temporaryFolder();
    const bytes = await bytesOf(scene(31, 22, 3), (picture) => picture.withMetadata({ orientation: 5 }).jpeg());
    const reader = await createImageKit({ folder, limits }).open(saved(bytes));
    expect(readdirSync(folder)).toHaveLength(1);
    await reader.close();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('refuses a file that is cut off', async () => {
    const bytes = await bytesOf(scene(200, 150, 3));
    await refusal(makeKit().open(saved(bytes.subarray(0, -1000))), 'invalid_input');
  });
});

/** How a camera stores what was seen when it writes this orientation; sharp mirrors before it rotates. */
const storedAs: Record<number, Write> = {
  1: (seen) => seen,
  2: (seen) => seen.flop(),
  3: (seen) => seen.rotate(180),
  4: (seen) => seen.flip(),
  5: (seen) => seen.flip().rotate(90),
  6: (seen) => seen.rotate(270),
  7: (seen) => seen.flop().rotate(90),
  8: (seen) => seen.rotate(90),
};

function storedEveryWay(seen: Pixels): Promise<{ orientation: number; bytes: Buffer }[]> {
  const all = Object.entries(storedAs).map(async ([orientation, store]) => {
    const stored = await bytesOf(seen, (picture) => store(picture).png());
    const bytes = await sharp(stored)
      .withMetadata({ orientation: Number(orientation) })
      .png()
      .toBuffer();
    return { orientation: Number(orientation), bytes };
  });
  return Promise.all(all);
}

function decode(bytes: Buffer, options?: Parameters<ImageKit['decode']>[1]): Promise<Pixels> {
  return makeKit().decode(saved(bytes), options);
}

async function readAll(reader: PixelReader): Promise<Pixels> {
  const parts: Uint8Array[] = [];
  for (let top = 0; top < reader.height; top += 5) {
    const rows = await reader.readRows(top, Math.min(5, reader.height - top));
    parts.push(rows.data);
  }
  await reader.close();
  const { width, height, channels } = reader;
  return { data: Buffer.concat(parts), width, height, channels };
}
