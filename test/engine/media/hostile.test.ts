import { readdirSync } from 'node:fs';
import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { EngineError } from '#src/engine/errors.js';
import { maxFrames } from '#src/engine/media/frames.js';
import { createImageKit, inspect } from '#src/engine/media/image.js';
import type { ImageFacts } from '#src/engine/media/media.js';
import { animatedWebp, gif, handmadePng, inflatingChunk, longGif, lyingWebp, manyPages, pngChunk } from './bombs.js';
import {
  bytesOf,
  flat,
  handmadeTiff,
  limits,
  randomNumbers,
  refusal,
  saved,
  scene,
  temporaryFolder,
  type Write,
} from './pictures.js';

const writers: [string, Write][] = [
  ['jpeg', (picture) => picture.jpeg()],
  ['progressive jpeg', (picture) => picture.jpeg({ progressive: true })],
  ['cmyk jpeg', (picture) => picture.toColourspace('cmyk').jpeg()],
  ['png', (picture) => picture.png()],
  ['interlaced png', (picture) => picture.png({ progressive: true })],
  ['palette png', (picture) => picture.png({ palette: true })],
  ['lossy webp', (picture) => picture.webp()],
  ['lossless webp', (picture) => picture.webp({ lossless: true })],
  ['avif', (picture) => picture.avif({ effort: 0 })],
  ['plain tiff', (picture) => picture.tiff({ compression: 'none' })],
  ['lzw tiff', (picture) => picture.tiff({ compression: 'lzw' })],
  ['deflate tiff', (picture) => picture.tiff({ compression: 'deflate', predictor: 'horizontal' })],
  ['jpeg tiff', (picture) => picture.tiff({ compression: 'jpeg' })],
  ['tiled tiff', (picture) => picture.tiff({ tile: true, tileWidth: 64, tileHeight: 64 })],
  ['gif', (picture) => picture.gif()],
];

describe('a small file that wants much', () => {
  const page = { 256: 1, 257: 1, 258: 8, 259: 1, 262: 1, 273: 0, 277: 1, 278: 1, 279: 1 };

  it.each([
    ['a PNG of 50,000 × 50,000 bits', () => handmadePng({ width: 50_000, height: 50_000, bitDepth: 1 })],
    ['a PNG with a side of 30,001', () => handmadePng({ width: 30_001, height: 1 })],
    ['a PNG of 2³¹ - 1 columns', () => handmadePng({ width: 2 ** 31 - 1, height: 1 })],
    ['a flat PNG of 30,000 × 30,000', flatPng],
    ['a GIF frame of 65,535 × 65,535 on a canvas of one pixel', () => gif([1, 1], [[65_535, 65_535]])],
    ['a GIF of 10,000 frames', () => longGif(10_000)],
    ['a WebP of 10,000 frames', () => animatedWebp(10_000)],
    ['a TIFF of 10,000 pages', () => manyPages(10_000)],
    ['a TIFF of 4 billion columns', () => handmadeTiff([{ ...page, 256: 0xffff_fff0 }], new Uint8Array(1))],
  ])('is refused: %s', async (name, make) => {
    const path = saved(await make());
    const error = await inspect(path, 'image', limits).then(
      (facts) => expect.fail(`${name} was taken: ${JSON.stringify(facts)}`),
      (thrown: EngineError) => thrown,
    );
    expect({ code: error.code, param: error.details?.param }).toEqual({
      code: name.includes('billion') || name.includes('2³¹') ? 'invalid_input' : 'too_large',
      param: 'image',
    });
  });

  it.each([
    ['a WebP frame of 3,000 × 3,000 on a canvas of one pixel', async () => lyingWebp(await flatWebp(3000))],
    ['an AVIF of 1,500 × 1,500 that says 64 × 64', lyingAvif],
    [
      'a TIFF whose strip says it has 4 GB',
      () => handmadeTiff([{ ...page, 259: 8, 279: 0xffff_ffff }], deflateSync(Buffer.alloc(99))),
    ],
    ['a TIFF with a tile of 65,520 × 65,520', hugeTile],
    [
      'a TIFF of 65,535 samples a pixel',
      () => handmadeTiff([{ ...page, 256: 5000, 257: 5000, 277: 65_535 }], new Uint8Array(1)),
    ],
    [
      'a TIFF without data',
      () => handmadeTiff([{ ...page, 256: 5000, 257: 5000, 278: 5000, 279: 25e6 }], new Uint8Array(1)),
    ],
  ])('is refused as broken: %s', async (_, make) => {
    await refusal(inspect(saved(await make()), 'image', limits), 'invalid_input');
  });

  it.each([
    ['a compressed text of 200 MB', () => handmadePng({ width: 1, height: 1, chunks: [inflatingChunk('zTXt', 2e8)] })],
    ['a profile of 200 MB', () => handmadePng({ width: 1, height: 1, chunks: [inflatingChunk('iCCP', 2e8)] })],
    [
      '200,000 comments',
      () => handmadePng({ width: 1, height: 1, chunks: Array(200_000).fill(pngChunk('tEXt', Buffer.from('a\0b'))) }),
    ],
    ['as many frames as are taken (GIF)', () => longGif(maxFrames)],
    ['as many frames as are taken (WebP)', () => animatedWebp(maxFrames)],
    ['a GIF canvas that no frame fills', () => gif([65_535, 65_535], [[1, 1]])],
    ['pages in a circle', () => handmadeTiff([page, page], new Uint8Array(1), 8)],
  ])('is taken for the one pixel that it is: %s', async (_, make) => {
    expect(await inspect(saved(await make()), 'image', limits)).toMatchObject({ width: 1, height: 1 });
  });

  it('is refused when its bytes are over the limit, before anything is read', async () => {
    const path = saved(Buffer.concat([await bytesOf(scene(3, 3, 3)), Buffer.alloc(2000)]));
    await refusal(inspect(path, 'image', { ...limits, maxBytes: 2000 }), 'too_large');
  });
});

describe('a file that is cut off', () => {
  it.each(writers)('is refused wherever the %s ends', async (_, write) => {
    const bytes = await bytesOf(scene(203, 157, 3), write);
    await inspect(saved(bytes), 'image', limits);
    for (let part = 0; part < 16; part += 1) {
      const path = saved(bytes.subarray(0, Math.floor((bytes.length * part) / 16)));
      await refusal(inspect(path, 'image', limits), 'invalid_input');
    }
  });

  it.each(['gif', 'webp'] as const)('is taken at most for the first frame of the %s animation', async (format) => {
    const frames = await Promise.all(
      [1, 2, 3, 4].map((frame) => bytesOf(scene(40 + frame, 30, 3), (picture) => picture.resize(60, 40).png())),
    );
    const bytes = await sharp(frames, { join: { animated: true } })
      [format]()
      .toBuffer();
    for (let part = 0; part < 16; part += 1) {
      await isSound(bytes.subarray(0, Math.floor((bytes.length * part) / 16)));
    }
  });
});

describe('a file with flipped bits', () => {
  it.each(writers)('is a picture within the limits or refused by name: %s', async (name, write) => {
    const whole = await bytesOf(scene(83, 61, 3), write);
    const random = randomNumbers(name.length * 7919);
    for (let attempt = 0; attempt < 25; attempt += 1) {
      const bytes = Buffer.from(whole);
      // Half of the flips in the first 200 bytes, where the headers are.
      for (let flips = 1 + Math.floor(random() * 4); flips > 0; flips -= 1) {
        const reach = random() < 0.5 ? Math.min(200, bytes.length) : bytes.length;
        const at = Math.floor(random() * reach);
        bytes[at] = (bytes[at] ?? 0) ^ (1 << Math.floor(random() * 8));
      }
      await isSound(bytes);
    }
  });
});

describe('a file that is two things at once', () => {
  it('is the picture that its first bytes say, whatever follows', async () => {
    const tail = Buffer.from('PK\x03\x04%PDF-1.7<svg onload="alert(1)"/><script>', 'latin1');
    for (const [, write] of writers.filter(([name]) => /^(jpeg|png|gif|lossy webp|plain tiff)$/.test(name))) {
      const path = saved(Buffer.concat([await bytesOf(scene(9, 7, 3), write), tail]), 'page.html');
      expect(await inspect(path, 'image', limits)).toMatchObject({ width: 9, height: 7 });
    }
  });

  it('is refused when a picture stands behind something else', async () => {
    const png = await bytesOf(scene(9, 7, 3));
    const pdf = saved(Buffer.concat([Buffer.from('%PDF-1.7\n'), png]), 'photo.png');
    expect(await refusal(inspect(pdf, 'image', limits), 'invalid_input')).toContain('got a PDF');
    const shifted = saved(Buffer.concat([Buffer.from([0]), png]), 'photo.png');
    expect(await refusal(inspect(shifted, 'image', limits), 'invalid_input')).toContain('no known type');
  });

  it('is refused when only its signature is right', async () => {
    for (const [, write] of writers) {
      const start = (await bytesOf(scene(9, 7, 3), write)).subarray(0, 24);
      const random = randomNumbers(99);
      const noise = Buffer.from(Array.from({ length: 4000 }, () => Math.floor(random() * 256)));
      await refusal(inspect(saved(Buffer.concat([start, noise])), 'image', limits), 'invalid_input');
    }
  });
});

/** Fails unless these bytes are a picture within the limits, by every way in, or are refused with the field's name. */
async function isSound(bytes: Buffer): Promise<void> {
  const path = saved(bytes);
  const facts = await takenOrRefused(inspect(path, 'image', limits));
  if (facts === undefined) return;
  expectWithinLimits(facts);
  const folder = temporaryFolder();
  const kit = createImageKit({ folder, limits });
  const pixels = await takenOrRefused(kit.decode(path));
  if (pixels !== undefined) {
    expect([pixels.width, pixels.height]).toEqual([facts.width, facts.height]);
    expect(pixels.channels === 4).toBe(facts.hasAlpha);
    expect(pixels.data.length).toBe(pixels.width * pixels.height * pixels.channels);
  }
  const reader = await takenOrRefused(kit.open(path));
  if (reader === undefined) return;
  expect([reader.width, reader.height]).toEqual([facts.width, facts.height]);
  await reader.readRows(reader.height - 1, 1);
  await reader.close();
  expect(readdirSync(folder)).toEqual([]);
}

async function takenOrRefused<Result>(work: Promise<Result>): Promise<Result | undefined> {
  return work.catch((error: unknown) => {
    if (!(error instanceof EngineError)) throw error;
    expect(['invalid_input', 'unsupported', 'too_large']).toContain(error.code);
    expect(error.details.param).toBe('image');
    return undefined;
  });
}

function expectWithinLimits({ width, height }: ImageFacts): void {
  expect(Math.min(width, height)).toBeGreaterThan(0);
  expect(Math.max(width, height)).toBeLessThanOrEqual(limits.maxSide);
  expect(width * height).toBeLessThanOrEqual(limits.maxPixels);
}

/** Real pixels, 900 million of them in a megabyte. */
function flatPng(): Buffer {
  const rows = Buffer.alloc(30_000 * (1 + 30_000 / 8));
  return handmadePng({ width: 30_000, height: 30_000, bitDepth: 1, rows });
}

function flatWebp(side: number): Promise<Buffer> {
  const background = { width: side, height: side, channels: 3, background: '#102030' } as const;
  return sharp({ create: background }).webp({ lossless: true, effort: 0 }).toBuffer();
}

async function lyingAvif(): Promise<Buffer> {
  const bytes = await bytesOf(flat(1500, 1500, [10, 20, 30]), (picture) => picture.avif({ effort: 0 }));
  const size = bytes.indexOf('ispe') + 8;
  expect([bytes.readUInt32BE(size), bytes.readUInt32BE(size + 4)]).toEqual([1500, 1500]);
  bytes.writeUInt32BE(64, size);
  bytes.writeUInt32BE(64, size + 4);
  return bytes;
}

function hugeTile(): Buffer {
  const data = deflateSync(Buffer.alloc(1e6));
  const tags = { 256: 1, 257: 1, 258: 8, 259: 8, 262: 1, 277: 1, 322: 65_520, 323: 65_520, 324: 0, 325: data.length };
  return handmadeTiff([tags], data);
}
