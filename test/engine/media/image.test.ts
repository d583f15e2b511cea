import { existsSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { createImageKit, imageRuntime, inspect } from '#src/engine/media/image.js';
import type { OutputFormat, Pixels } from '#src/engine/media/media.js';
import { tiffHeader } from '#src/engine/media/tiff.js';
import { sharedFiles } from '../../helpers/shared.js';
import {
  bytesOf,
  flat,
  handmadeTiff,
  largestDifference,
  limits,
  makeKit,
  refusal,
  saved,
  scene,
  temporaryFolder,
  type Write,
} from './pictures.js';

const taken = 'JPEG, PNG, WebP, AVIF, TIFF, GIF';

describe('inspect', () => {
  it.each([
    ['jpeg', false, (picture) => picture.jpeg()],
    ['jpeg', false, (picture) => picture.jpeg({ progressive: true })],
    ['png', true, (picture) => picture.png()],
    ['png', true, (picture) => picture.png({ progressive: true })],
    ['webp', true, (picture) => picture.webp()],
    ['avif', true, (picture) => picture.avif()],
    ['tiff', true, (picture) => picture.tiff({ compression: 'lzw' })],
    ['gif', true, (picture) => picture.gif()],
  ] as [string, boolean, Write][])('tells the facts of a %s', async (format, hasAlpha, write) => {
    const bytes = await bytesOf(scene(61, 43, 4), write);
    const facts = await inspect(saved(bytes), 'image', limits);
    expect(facts).toEqual({ format, width: 61, height: 43, hasAlpha, bytes: bytes.length });
  });

  it('recognises a picture by its content whatever its name says', async () => {
    const path = saved(await bytesOf(scene(9, 7, 3), (picture) => picture.webp()), 'photo.png');
    expect(await inspect(path, 'image', limits)).toMatchObject({ format: 'webp' });
  });

  it('gives the size as it is seen, orientation applied', async () => {
    const path = saved(await bytesOf(scene(30, 20, 3), (picture) => picture.withMetadata({ orientation: 6 }).jpeg()));
    expect(await inspect(path, 'image', limits)).toMatchObject({ width: 20, height: 30 });
  });

  it('sees the first frame of an animation', async () => {
    const frames = await Promise.all([40, 90, 200].map((red) => bytesOf(flat(8, 6, [red, 0, 0]))));
    const animation = sharp(frames, { join: { animated: true } });
    for (const bytes of [await animation.clone().gif().toBuffer(), await animation.clone().webp().toBuffer()]) {
      expect(await sharp(bytes).metadata()).toMatchObject({ pages: 3 });
      expect(await inspect(saved(bytes), 'image', limits)).toMatchObject({ width: 8, height: 6 });
    }
  });

  it('refuses what is over a limit and says the limit and what came', async () => {
    const path = saved(await bytesOf(flat(1600, 1000, [9, 9, 9]), (picture) => picture.png({ compressionLevel: 0 })));
    const strict = (limit: object) => refusal(inspect(path, 'mask', { ...limits, ...limit }), 'too_large', 'mask');
    expect(await strict({ maxPixels: 1_599_999 })).toBe(
      'Expected `mask` to have at most 1.59 MP, got 1,600 × 1,000 pixels (1.6 MP)',
    );
    expect(await strict({ maxSide: 1599 })).toBe(
      'Expected `mask` to have at most 1,599 pixels on its longest side, got 1,600 × 1,000 pixels (1.6 MP)',
    );
    expect(await strict({ maxBytes: 4_000_000 })).toBe('Expected `mask` to have at most 4 MB, got 4.81 MB');
    const exact = { ...limits, maxPixels: 1_600_000, maxSide: 1600 };
    expect(await inspect(path, 'mask', exact)).toMatchObject({ width: 1600, height: 1000 });
  });

  it('refuses what is not taken and says what it is and what is taken', async () => {
    const refused = (text: string, code: 'unsupported' | 'invalid_input') =>
      refusal(inspect(saved(Buffer.from(text)), 'image', limits), code);
    expect(await refused('<svg width="1"/>', 'unsupported')).toBe(
      `Expected \`image\` to be a picture (${taken}), got an SVG; save it in one of these formats and send it again`,
    );
    expect(await refused('<html>404</html>', 'invalid_input')).toBe(
      `Expected \`image\` to be a picture (${taken}), got an HTML page`,
    );
    expect(await refused('', 'invalid_input')).toBe(`Expected \`image\` to be a picture (${taken}), got an empty file`);
  });

  it('refuses a file that is cut off', async () => {
    const bytes = await bytesOf(scene(200, 150, 3), (picture) => picture.jpeg());
    const message = await refusal(inspect(saved(bytes.subarray(0, -1000)), 'image', limits), 'invalid_input');
    expect(message).toMatch(/^Expected `image` to be a whole picture, got JPEG data that is damaged or cut off/);
  });

  it('misses no last row, however the height divides', async () => {
    for (let height = 1000; height < 1032; height += 1) {
      const picture = scene(5, height, 3);
      const bytes = Buffer.concat([tiffHeader(picture), picture.data]);
      await inspect(saved(bytes), 'image', limits);
      await refusal(inspect(saved(bytes.subarray(0, -15)), 'image', limits), 'invalid_input');
    }
  });

  it('refuses pictures of more channels than a colour has', async () => {
    const tags = { 256: 5, 257: 5, 258: 8, 259: 1, 262: 2, 273: 0, 277: 6, 278: 5, 279: 150, 284: 1 };
    const path = saved(handmadeTiff([tags], new Uint8Array(150)));
    await refusal(inspect(path, 'image', limits), 'invalid_input');
  });

  const photographs = ['clothing', 'kodak', 'gb82', 'cc0'].flatMap((folder) =>
    ['.jpg', '.png'].flatMap((ending) => sharedFiles(`images/${folder}`, ending)),
  );
  it.skipIf(photographs.length === 0)(
    'takes every photograph of the shared material, where that is present',
    async () => {
      for (const path of photographs) {
        expect(await inspect(path, 'image', limits), path).toMatchObject({ format: expect.stringMatching(/jpeg|png/) });
      }
    },
  );
});

describe('ImageKit.encode', () => {
  it.each([
    ['png', 'image/png'],
    ['webp', 'image/webp'],
    ['jpg', 'image/jpeg'],
  ] as const)('writes sRGB without metadata as %s', async (format, contentType) => {
    const file = await makeKit().encode(scene(40, 30, 3), format);
    expect(file).toMatchObject({ format, contentType, width: 40, height: 30 });
    const { width, height, space, channels, depth, ...rest } = await sharp(file.path).metadata();
    expect([width, height, space, channels, depth]).toEqual([40, 30, 'srgb', 3, 'uchar']);
    expect(rest).toMatchObject({ hasProfile: false });
    for (const extra of ['exif', 'icc', 'xmp', 'iptc', 'comments']) expect(rest).not.toHaveProperty(extra);
  });

  it('loses nothing as png and little otherwise', async () => {
    const data = await bytesOf(scene(12, 9, 3), (picture) => picture.resize(120, 90).raw());
    const picture: Pixels = { data, width: 120, height: 90, channels: 3 };
    const kit = makeKit();
    const errorOf = async (format: OutputFormat) => {
      const { path } = await kit.encode(picture, format);
      return largestDifference(await kit.decode(path), picture);
    };
    expect(await errorOf('png')).toBe(0);
    expect(await errorOf('jpg')).toBeLessThan(16);
    expect(await errorOf('webp')).toBeLessThan(40);
  });

  it('keeps straight alpha as png and webp and flattens it on white as jpg', async () => {
    const kit = makeKit();
    const cutOut = flat(32, 32, [200, 40, 40, 128]);
    const shown = async (format: OutputFormat) => kit.decode((await kit.encode(cutOut, format)).path);
    expect(largestDifference(await shown('png'), cutOut)).toBe(0);
    expect(largestDifference(await shown('webp'), cutOut)).toBeLessThan(6);
    expect(largestDifference(await shown('jpg'), flat(32, 32, [227, 147, 147]))).toBeLessThan(4);
  });

  it('writes one channel as grey', async () => {
    const mask = scene(20, 10, 1);
    const file = await makeKit().encode(mask, 'png');
    expect(await sharp(file.path).metadata()).toMatchObject({ space: 'b-w', channels: 1 });
    expect(await sharp(file.path).toColourspace('b-w').raw().toBuffer()).toEqual(Buffer.from(mask.data));
  });

  it('refuses a size that the format cannot hold and says which can', async () => {
    const wide = flat(16_384, 1, [1, 2, 3]);
    expect(await refusal(makeKit().encode(wide, 'webp'), 'too_large', 'format')).toBe(
      'Expected a webp to have at most 16,383 pixels a side and 100 MP, got 16,384 × 1 pixels; ask for png',
    );
    expect(await makeKit().encode(wide, 'jpg')).toMatchObject({ width: 16_384 });
  });

  it.skipIf(!existsSync('/dev/full'))('says when the disk is full', async () => {
    const folder = temporaryFolder();
    for (const format of ['png', 'webp', 'jpg'] as const) {
      symlinkSync('/dev/full', join(folder, `1.${format}`));
      const work = createImageKit({ folder, limits }).encode(scene(300, 200, 3), format);
      await expect(work, format).rejects.toMatchObject({ code: 'storage_full' });
    }
  });

  it('gives every file a name of its own', async () => {
    const kit = makeKit();
    const files = [await kit.encode(scene(2, 2, 3), 'png'), await kit.encode(scene(3, 3, 3), 'png')];
    expect(new Set(files.map(({ path }) => path)).size).toBe(2);
  });
});

describe('the loaders of this process', () => {
  it.each([
    ['an SVG', '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'],
    ['a Netpbm picture', 'P2 1 1 255 7\n'],
    ['a Radiance picture', '#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n-Y 1 +X 1\n\0\0\0\0'],
  ])('cannot load %s', async (_, text) => {
    await expect(sharp(Buffer.from(text, 'latin1')).metadata()).rejects.toThrow('unsupported image format');
  });

  it('cannot load a libvips file', async () => {
    const path = join(temporaryFolder(), 'spool.v');
    await sharp(await bytesOf(scene(3, 3, 3))).toFile(path);
    await expect(sharp(path).metadata()).rejects.toThrow('unsupported image format');
  });

  it('are told with their versions', () => {
    expect(imageRuntime()).toEqual({
      sharp: expect.stringMatching(/^0\.\d+\.\d+/),
      vips: expect.stringMatching(/^8\./),
    });
  });
});
