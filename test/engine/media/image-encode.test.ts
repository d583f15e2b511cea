import { statSync } from 'node:fs';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import type { Pixels } from '#src/engine/media/media.js';
import type { EncodeOptions, PixelWriter } from '#src/engine/operations/workbench.js';
import { bytesOf, flat, largestDifference, makeKit, saved, scene } from './pictures.js';

describe('ImageKit.encode', () => {
  it.each(['webp', 'jpg'] as const)('makes a %s the smaller the lower its quality', async (format) => {
    const kit = makeKit();
    const bytes = async (options?: EncodeOptions) =>
      statSync((await kit.encode(scene(200, 150, 3), format, options)).path).size;
    const [low, usual, high] = [await bytes({ quality: 20 }), await bytes(), await bytes({ quality: 99 })];
    expect(low).toBeLessThan(usual / 1.5);
    expect(usual).toBeLessThan(high);
  });

  it.each(['png', 'jpg'] as const)('says in a %s how many pixels an inch has', async (format) => {
    const kit = makeKit();
    const { path } = await kit.encode(scene(20, 10, 3), format, { dpi: 300 });
    expect(await sharp(path).metadata()).toMatchObject({ density: 300, hasProfile: false });
  });
});

describe('the rows of ImageKit.create', () => {
  it('can be grey', async () => {
    const kit = makeKit();
    const picture = scene(33, 21, 1);
    const { path } = await (await filled(await kit.create(picture), picture)).encode('png');
    expect(await sharp(path).metadata()).toMatchObject({ channels: 1, space: 'b-w', width: 33, height: 21 });
    expect((await sharp(path).toColourspace('b-w').raw().toBuffer()).equals(picture.data)).toBe(true);
  });

  it('can be read again instead of encoded', async () => {
    const kit = makeKit();
    for (const picture of [scene(33, 21, 3), scene(33, 21, 4)]) {
      const reader = await (await filled(await kit.create(picture), picture)).read();
      expect(await reader.readRows(5, 16)).toEqual({
        ...picture,
        data: Buffer.from(picture.data.subarray(5 * 33 * picture.channels)),
        height: 16,
      });
      await reader.close();
    }
    const grey = scene(2, 2, 1);
    await expect((await filled(await kit.create(grey), grey)).read()).rejects.toMatchObject({ code: 'internal' });
  });
});

describe('ICC profiles', () => {
  /** Strong colours in Display P3, some of them outside of sRGB. */
  const picture = scene(64, 48, 3);
  const inP3 = () => bytesOf(picture, (image) => image.withIccProfile('p3').png());

  it('of RGB pictures can be had, others have none', async () => {
    const kit = makeKit();
    const profile = await kit.profile(saved(await inP3()));
    expect(profile?.length).toBeGreaterThan(100);
    expect(await kit.profile(saved(await bytesOf(picture)))).toBeNull();
    const cmyk = await bytesOf(picture, (image) => image.toColourspace('cmyk').withIccProfile('cmyk').jpeg());
    expect(await kit.profile(saved(cmyk))).toBeNull();
  });

  it.each(['png', 'webp', 'jpg'] as const)('go through to a %s with the numbers as they were', async (format) => {
    const kit = makeKit();
    const bytes = await inP3();
    const path = saved(bytes);
    const numbers = await sharp(bytes, { ignoreIcc: true }).raw().toBuffer();
    const reader = await kit.open(path, { profile: 'own' });
    const rows = await reader.readRows(0, 48);
    await reader.close();
    expect(largestDifference(rows, { ...rows, data: numbers })).toBe(0);
    expect(largestDifference(await kit.decode(path, { profile: 'own' }), rows)).toBe(0);
    const profile = (await kit.profile(path)) as Uint8Array;
    const made = await (await filled(await kit.create({ ...rows, channels: 3, profile }), rows)).encode(format, {
      quality: 100,
    });
    const { icc } = await sharp(made.path).metadata();
    expect(icc?.equals(profile)).toBe(true);
    const found = await sharp(made.path, { ignoreIcc: true }).raw().toBuffer();
    const mean = numbers.reduce((sum, value, at) => sum + Math.abs(value - (found[at] as number)), 0) / numbers.length;
    expect(mean).toBeLessThan(format === 'png' ? 1e-9 : 4);
  });

  it('are what another picture can be decoded into', async () => {
    const kit = makeKit();
    const profile = (await kit.profile(saved(await inP3()))) as Uint8Array;
    const { data } = await kit.decode(saved(await bytesOf(flat(4, 4, [255, 0, 0]))), { profile });
    // The red of sRGB as Display P3 says it.
    for (const [channel, value] of [234, 51, 35].entries())
      expect(Math.abs((data[channel] as number) - value)).toBeLessThan(3);
  });
});

async function filled(writer: PixelWriter, picture: Pixels): Promise<PixelWriter> {
  await writer.write(picture);
  return writer;
}
