import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { tiffHeader } from '#src/engine/media/tiff.js';
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
