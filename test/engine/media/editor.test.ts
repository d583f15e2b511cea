import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { createImageKit } from '#src/engine/media/image.js';
import type { Pixels } from '#src/engine/media/media.js';
import type { ImageKit } from '#src/engine/operations/workbench.js';
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
} from './pictures.js';

/** Puts these rows into a picture at `top`, as a test expects it. */
function withRows(picture: Pixels, rows: Pixels, top: number): Pixels {
  const data = Uint8Array.from(picture.data);
  data.set(rows.data, top * picture.width * picture.channels);
  return { ...picture, data };
}

async function edited(kit: ImageKit, path: string, rows: Pixels, top: number): Promise<string> {
  const editor = await kit.edit(path);
  await editor.writeRows(top, rows);
  const file = await editor.encode('png');
  await editor.close();
  return file.path;
}

describe('ImageKit.edit', () => {
  it.each([
    [1, 1, 0],
    [37, 53, 20],
    [700, 900, 899],
  ])('changes rows of a picture of %i × %i and no others', async (width, height, top) => {
    for (const picture of [scene(width, height, 3), scene(width, height, 4)]) {
      const kit = makeKit();
      const rows = flat(width, 1, [9, 8, 7, 6].slice(0, picture.channels));
      const path = await edited(kit, saved(await bytesOf(picture)), rows, top);
      expect(largestDifference(await kit.decode(path), withRows(picture, rows, top))).toBe(0);
    }
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('shows a picture of EXIF orientation %i upright', async (orientation) => {
    const lying = await bytesOf(scene(31, 22, 3), (picture) => picture.withMetadata({ orientation }).png());
    const kit = makeKit();
    const upright = await kit.decode(saved(lying));
    const rows = flat(upright.width, 2, [200, 100, 0]);
    const made = await kit.decode(await edited(kit, saved(lying), rows, 5));
    expect(largestDifference(made, withRows(upright, rows, 5))).toBe(0);
  });

  it('reads what was written', async () => {
    const editor = await makeKit().edit(saved(await bytesOf(scene(20, 10, 3))));
    const rows = flat(20, 3, [1, 2, 3]);
    await editor.writeRows(4, rows);
    expect(largestDifference(await editor.readRows(4, 3), rows)).toBe(0);
    const before = scene(20, 10, 3).data.subarray(0, 240);
    expect(Buffer.from((await editor.readRows(0, 4)).data).equals(before)).toBe(true);
    await editor.close();
  });

  it('between two steps leaves the file that was asked for as it was', async () => {
    const kit = makeKit();
    const picture = scene(40, 30, 4);
    const first = await edited(kit.between(), saved(await bytesOf(picture)), flat(40, 1, [1, 2, 3, 4]), 0);
    const second = await edited(kit.between(), first, flat(40, 1, [5, 6, 7, 8]), 1);
    const once = withRows(picture, flat(40, 1, [1, 2, 3, 4]), 0);
    expect(largestDifference(await kit.decode(first), once)).toBe(0);
    expect(largestDifference(await kit.decode(second), withRows(once, flat(40, 1, [5, 6, 7, 8]), 1))).toBe(0);
    const last = await edited(kit, second, flat(40, 1, [0, 0, 0, 0]), 29);
    expect(await sharp(last).metadata()).toMatchObject({ format: 'png', width: 40, height: 30 });
  });

  it('leaves only the encoded file behind, and nothing when it is given up', async () => {
    const folder = temporaryFolder();
    const path = saved(await bytesOf(scene(31, 22, 3), (picture) => picture.withMetadata({ orientation: 6 }).jpeg()));
    const kit = createImageKit({ folder, limits });
    const made = await edited(kit, path, flat(22, 1, [1, 2, 3]), 0);
    expect(readdirSync(folder).map((name) => join(folder, name))).toEqual([made]);
    const size = statSync(made).size;
    await (await kit.edit(path)).close();
    expect(readdirSync(folder)).toHaveLength(1);
    expect(statSync(made).size).toBe(size);
  });

  it('refuses rows that are not those of the picture', async () => {
    const editor = await makeKit().edit(saved(await bytesOf(scene(20, 10, 3))));
    const wrong = [
      [0, scene(21, 1, 3)],
      [0, scene(20, 1, 4)],
      [9, scene(20, 2, 3)],
      [-1, scene(20, 1, 3)],
      [0, { ...scene(20, 2, 3), height: 1 }],
    ] as const;
    for (const [top, rows] of wrong) {
      await expect(editor.writeRows(top, rows)).rejects.toMatchObject({ code: 'internal' });
    }
    await editor.close();
  });

  it('refuses a size that the intended format cannot hold before anything is decoded', async () => {
    const folder = temporaryFolder();
    const wide = saved(await bytesOf(flat(16_384, 1, [5, 5, 5])));
    const work = createImageKit({ folder, limits }).edit(wide, { format: 'webp' });
    await refusal(work, 'too_large', 'format');
    expect(readdirSync(folder)).toEqual([]);
  });
});
