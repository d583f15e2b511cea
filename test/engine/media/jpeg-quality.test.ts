import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { jpegQuality, readJpegQuality } from '#src/engine/media/jpeg-quality.js';
import { temporaryFolder } from './pictures.js';

const raw = { width: 40, height: 30, channels: 3 as const };
const data = Buffer.from(Array.from({ length: 40 * 30 * 3 }, (_, at) => (at * 37) % 251));

describe('the quality of a JPEG file', () => {
  test.each([10, 20, 50, 75, 92])('is read from its tables: %d', async (quality) => {
    const file = await sharp(data, { raw }).jpeg({ quality }).toBuffer();
    expect(Math.abs((jpegQuality(file) ?? 0) - quality)).toBeLessThanOrEqual(1);
  });

  test('is found behind metadata', async () => {
    const path = join(temporaryFolder(), 'photo.jpg');
    const file = sharp(data, { raw }).withExif({ IFD0: { Copyright: 'x'.repeat(20_000) } });
    await file.jpeg({ quality: 60 }).toFile(path);
    expect(Math.abs(((await readJpegQuality(path)) ?? 0) - 60)).toBeLessThanOrEqual(1);
  });

  test('is not known of other formats, nor of a file that is cut off', async () => {
    const path = join(temporaryFolder(), 'photo.png');
    await sharp(data, { raw }).png().toFile(path);
    expect(await readJpegQuality(path)).toBeNull();
    const file = await sharp(data, { raw }).jpeg().toBuffer();
    for (const length of [0, 2, 3, 21, 30]) expect(jpegQuality(file.subarray(0, length))).toBeNull();
    writeFileSync(path, '');
    expect(await readJpegQuality(path)).toBeNull();
  });
});
