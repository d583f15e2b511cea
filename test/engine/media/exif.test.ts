import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { insertExif, uprightExif } from '#src/engine/media/exif.js';
import type { OutputFormat } from '#src/engine/media/media.js';
import { temporaryFolder } from './pictures.js';

const raw = { width: 37, height: 22, channels: 3 as const };
const data = Buffer.from(Array.from({ length: 37 * 22 * 3 }, (_, at) => (at * 37) % 251));

/** The EXIF block of a photograph that lies on its side. */
async function block(): Promise<Buffer> {
  const exif = { IFD0: { Copyright: 'Somebody', Artist: 'Me' } };
  const file = await sharp(data, { raw }).withExif(exif).withMetadata({ orientation: 6, exif }).jpeg().toBuffer();
  return (await sharp(file).metadata()).exif as Buffer;
}

const writers: Record<string, [OutputFormat, (path: string) => Promise<unknown>]> = {
  jpeg: ['jpg', (path) => sharp(data, { raw }).jpeg().toFile(path)],
  png: ['png', (path) => sharp(data, { raw }).png().toFile(path)],
  'lossy webp': ['webp', (path) => sharp(data, { raw }).webp().toFile(path)],
  'lossless webp': ['webp', (path) => sharp(data, { raw }).webp({ lossless: true }).toFile(path)],
  'webp with alpha': ['webp', (path) => sharp(data, { raw }).ensureAlpha(0.5).webp().toFile(path)],
};

describe('EXIF', () => {
  test.each(Object.keys(writers))('goes into a file without changing a pixel: %s', async (name) => {
    const [format, write] = writers[name] as (typeof writers)[string];
    const path = join(temporaryFolder(), 'made');
    await write(path);
    const before = await sharp(path).raw().toBuffer();
    expect(await insertExif(path, format, uprightExif(await block()) as Uint8Array)).toBe(true);
    const { exif, width, height, orientation, hasAlpha } = await sharp(path).metadata();
    expect({ width, height, orientation, hasAlpha }).toMatchObject({
      width: 37,
      height: 22,
      orientation: 1,
      hasAlpha: name.includes('alpha'),
    });
    expect(exif?.toString('latin1')).toContain('Somebody');
    expect((await sharp(path).raw().toBuffer()).equals(before)).toBe(true);
  });

  test('says that the picture is upright', async () => {
    expect((await block()).length).toBeGreaterThan(20);
    const path = join(temporaryFolder(), 'made.jpg');
    await sharp(data, { raw }).jpeg().toFile(path);
    await insertExif(path, 'jpg', uprightExif(await block()) as Uint8Array);
    expect((await sharp(path).metadata()).orientation).toBe(1);
  });

  test('is refused when it is none, or has no room', async () => {
    expect(uprightExif(Buffer.from('no exif at all'))).toBeNull();
    expect(uprightExif(Buffer.from('II*\0\xff\xff\xff\x7f', 'latin1'))).not.toBeNull();
    const path = join(temporaryFolder(), 'made.jpg');
    await writeFile(path, await sharp(data, { raw }).jpeg().toBuffer());
    expect(await insertExif(path, 'jpg', new Uint8Array(70_000))).toBe(false);
  });
});
