import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { tiffAround, tiffHeader } from '#src/engine/media/tiff.js';
import { scene } from './pictures.js';

describe('tiffHeader', () => {
  it.each([
    [1, 1],
    [1, 5000],
    [5000, 1],
    [1031, 997],
  ])('makes rows of %i × %i a TIFF that others read', async (width, height) => {
    for (const picture of [scene(width, height, 3), scene(width, height, 4)]) {
      const file = Buffer.concat([tiffHeader(picture), picture.data]);
      const { data, info } = await sharp(file).raw().toBuffer({ resolveWithObject: true });
      expect(info).toMatchObject({ width, height, channels: picture.channels });
      expect(data.equals(picture.data)).toBe(true);
    }
  });

  it.each([
    [1, 1],
    [1, 5000],
    [1031, 997],
  ])('or by what stands around them in a file of their own: %i × %i', async (width, height) => {
    for (const picture of [scene(width, height, 3), scene(width, height, 4)]) {
      const end = 64 + picture.data.length + 7;
      const { head, directory, at } = tiffAround(picture, { pixelsAt: 64, end });
      const file = Buffer.alloc(at + directory.length, 'x');
      file.set(picture.data, 64);
      file.set(directory, at);
      file.set(head, 0);
      const { data, info } = await sharp(file).raw().toBuffer({ resolveWithObject: true });
      expect(info).toMatchObject({ width, height, channels: picture.channels });
      expect(data.equals(picture.data)).toBe(true);
      expect(at % 2).toBe(0);
    }
  });

  it('declares sRGB with straight alpha', async () => {
    const picture = scene(4, 4, 4);
    const facts = await sharp(Buffer.concat([tiffHeader(picture), picture.data])).metadata();
    expect(facts).toMatchObject({ format: 'tiff', space: 'srgb', depth: 'uchar', hasAlpha: true });
  });

  it('has room for more than 4 GB: places and sizes have 64 bits', () => {
    const header = tiffHeader({ width: 60_000, height: 40_000, channels: 4 });
    expect(header.readUInt16LE(2)).toBe(43);
    const lastCountAt = header.length - 8;
    const strips = 40_000 / 4;
    const lastOffset = header.readBigUInt64LE(lastCountAt - strips * 8);
    expect(lastOffset + header.readBigUInt64LE(lastCountAt)).toBe(BigInt(header.length) + 60_000n * 40_000n * 4n);
  });
});
