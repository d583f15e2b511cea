import { existsSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createImageKit } from '#src/engine/media/image.js';
import type { Pixels } from '#src/engine/media/media.js';
import type { PixelWriter } from '#src/engine/operations/workbench.js';
import { largestDifference, limits, makeKit, refusal, scene, temporaryFolder } from './pictures.js';

describe('ImageKit.create', () => {
  it.each([
    [1, 1],
    [3, 700],
    [700, 3],
    [1021, 613],
  ])('makes a picture of %i × %i of its rows', async (width, height) => {
    for (const picture of [scene(width, height, 3), scene(width, height, 4)]) {
      const kit = makeKit();
      const writer = await kit.create(picture);
      await writeRows(writer, picture, 97);
      const file = await writer.encode('png');
      expect(file).toMatchObject({ format: 'png', width, height });
      expect(largestDifference(await kit.decode(file.path), picture)).toBe(0);
    }
  });

  it.each(['png', 'webp', 'jpg'] as const)('encodes to %s exactly as encode does', async (format) => {
    const kit = makeKit();
    const picture = scene(300, 200, 4);
    const writer = await kit.create(picture);
    await writeRows(writer, picture, 64);
    const [byRows, atOnce] = [await writer.encode(format), await kit.encode(picture, format)];
    expect(largestDifference(await kit.decode(byRows.path), await kit.decode(atOnce.path))).toBe(0);
  });

  it('leaves only the encoded file behind', async () => {
    const folder = temporaryFolder();
    const picture = scene(20, 10, 3);
    const writer = await createImageKit({ folder, limits }).create(picture);
    await writer.write(picture);
    const { path } = await writer.encode('png');
    expect(readdirSync(folder).map((name) => join(folder, name))).toEqual([path]);
  });

  it('refuses rows that are not those of the picture, and too few or too many of them', async () => {
    const writer = await makeKit().create({ width: 20, height: 10, channels: 3 });
    for (const wrong of [scene(21, 1, 3), scene(20, 1, 4), scene(20, 11, 3), { ...scene(20, 2, 3), height: 1 }]) {
      await expect(writer.write(wrong)).rejects.toMatchObject({ code: 'internal' });
    }
    await writer.write(scene(20, 9, 3));
    await expect(writer.encode('png')).rejects.toThrow('Expected 10 rows, got 9');
    await writer.write(scene(20, 1, 3));
    expect(await writer.encode('png')).toMatchObject({ height: 10 });
  });

  it('refuses a size that the intended format cannot hold before anything is written', async () => {
    const folder = temporaryFolder();
    const kit = createImageKit({ folder, limits });
    await refusal(kit.create({ width: 16_384, height: 9, channels: 3, format: 'webp' }), 'too_large', 'format');
    await refusal(kit.create({ width: 10_001, height: 10_000, channels: 3, format: 'webp' }), 'too_large', 'format');
    await refusal(kit.create({ width: 65_536, height: 9, channels: 3, format: 'jpg' }), 'too_large', 'format');
    expect(readdirSync(folder)).toEqual([]);
  });

  it.skipIf(!existsSync('/dev/full'))('says when the disk is full', async () => {
    const folder = temporaryFolder();
    symlinkSync('/dev/full', join(folder, '1.tif'));
    const work = createImageKit({ folder, limits }).create({ width: 20, height: 10, channels: 3 });
    await expect(work).rejects.toMatchObject({ code: 'storage_full' });
  });
});

async function writeRows(writer: PixelWriter, { data, width, height, channels }: Pixels, rowsAtOnce: number) {
  for (let top = 0; top < height; top += rowsAtOnce) {
    const rows = Math.min(rowsAtOnce, height - top);
    const part = data.subarray(top * width * channels, (top + rows) * width * channels);
    await writer.write({ data: part, width, height: rows, channels });
  }
}
