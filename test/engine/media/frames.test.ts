import sharp, { type Sharp } from 'sharp';
import { describe, expect, it } from 'vitest';
import { countFrames, maxFrames } from '#src/engine/media/frames.js';
import { animatedWebp, longGif, manyPages } from './bombs.js';
import { bytesOf, flat, handmadeTiff, saved, scene } from './pictures.js';

async function animation(frames: number): Promise<Sharp> {
  const pictures = Array.from({ length: frames }, (_, index) => bytesOf(flat(30, 20, [index * 20, 0, 99])));
  return sharp(await Promise.all(pictures), { join: { animated: true } });
}

describe('countFrames', () => {
  it('counts the frames of a GIF as libvips does', async () => {
    const bytes = await (await animation(7)).gif({ delay: 30 }).toBuffer();
    expect((await sharp(bytes).metadata()).pages).toBe(7);
    expect(countFrames(saved(bytes), 'gif')).toBe(7);
    expect(countFrames(saved(await bytesOf(scene(300, 200, 3), (picture) => picture.gif())), 'gif')).toBe(1);
  });

  it('counts the frames of a WebP as libvips does', async () => {
    const bytes = await (await animation(6)).webp().toBuffer();
    expect((await sharp(bytes).metadata()).pages).toBe(6);
    expect(countFrames(saved(bytes), 'webp')).toBe(6);
    for (const lossless of [true, false]) {
      expect(countFrames(saved(await bytesOf(scene(30, 20, 4), (picture) => picture.webp({ lossless }))), 'webp')).toBe(
        1,
      );
    }
  });

  it('counts the pages of a TIFF, of a BigTIFF and of one with its bytes the other way round', async () => {
    for (const bigtiff of [false, true]) {
      const bytes = await (await animation(5)).tiff({ bigtiff }).toBuffer();
      expect((await sharp(bytes).metadata()).pages).toBe(5);
      expect(countFrames(saved(bytes), 'tiff')).toBe(5);
    }
    const motorola = Buffer.from('MM\0*\0\0\0\x0a\0\0\0\0\0\0\0\x10\0\0\0\0\0\0', 'latin1');
    expect(countFrames(saved(motorola), 'tiff')).toBe(2);
  });

  it('counts one where there are no frames', async () => {
    expect(countFrames(saved(await bytesOf(scene(3, 3, 3))), 'png')).toBe(1);
  });

  it('stops one past the most that are taken', async () => {
    expect(countFrames(saved(longGif(maxFrames)), 'gif')).toBe(maxFrames);
    for (const frames of [maxFrames + 1, maxFrames + 1000]) {
      expect(countFrames(saved(longGif(frames)), 'gif')).toBe(maxFrames + 1);
      expect(countFrames(saved(await animatedWebp(frames)), 'webp')).toBe(maxFrames + 1);
      expect(countFrames(saved(manyPages(frames)), 'tiff')).toBe(maxFrames + 1);
    }
  });

  it('ends where a chain of pages bites its tail', () => {
    const page = { 256: 1, 257: 1, 258: 8, 259: 1, 262: 1, 273: 0, 277: 1, 278: 1, 279: 1 };
    expect(countFrames(saved(handmadeTiff([page, page], new Uint8Array(1), 8)), 'tiff')).toBe(2);
  });

  it.each(['gif', 'webp', 'tiff'] as const)('ends with a %s that is cut off anywhere', async (format) => {
    const bytes = await (await animation(4))[format]().toBuffer();
    for (let length = 0; length < bytes.length; length += 41) {
      expect(countFrames(saved(bytes.subarray(0, length)), format)).toBeLessThanOrEqual(4);
    }
  });
});
