import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import type { Pixels } from '#src/engine/media/media.js';
import { measurePicture } from '#src/models/pixels/picture-facts.js';
import { paint } from '../../helpers/pictures.js';
import { random } from '../../helpers/tiny-models.js';

const size = { width: 256, height: 256 };

/** Soft hills of light with some sharp bars. */
const hills = paint(size, 3, (x, y) => {
  const soft = 120 + 60 * Math.sin(x / 40) * Math.cos(y / 33);
  const bar = x % 64 > 58 ? 90 : 0;
  return [soft + bar, soft * 0.9 + bar, soft * 0.8 + bar];
});

function withNoise(sigma: number, scene: Pixels = hills): Pixels {
  const next = random(3);
  const gauss = () => Math.sqrt(-2 * Math.log((next() + 1) / 2 + 1e-9)) * Math.cos(Math.PI * next());
  return {
    ...scene,
    data: Uint8Array.from(scene.data, (value) => Math.min(255, Math.max(0, value + sigma * gauss()))),
  };
}

async function asJpeg(quality: number): Promise<Pixels> {
  const raw = { width: size.width, height: size.height, channels: 3 as const };
  const jpeg = await sharp(hills.data, { raw }).jpeg({ quality }).toBuffer();
  return { ...hills, data: new Uint8Array(await sharp(jpeg).raw().toBuffer()) };
}

describe('measurePicture', () => {
  test.each([5, 15, 30])('finds noise of %d in the luma of every colour', (sigma) => {
    // Independent noise in three colours leaves 0.67 of itself in the luma.
    const { noise } = measurePicture(withNoise(sigma));
    expect(noise).toBeGreaterThan(0.67 * sigma * 0.75);
    expect(noise).toBeLessThan(0.67 * sigma * 1.15);
  });

  test.each([0, 255])('finds the noise of a picture that is half at %d, where half of it is cut off', (level) => {
    const product = paint(size, 3, (x, y) => (x < 128 ? [level, level, level] : [90 + x / 4, 120, 100 + y / 8]));
    const { noise } = measurePicture(withNoise(20, product));
    expect(noise).toBeGreaterThan(0.67 * 20 * 0.85);
    expect(noise).toBeLessThan(0.67 * 20 * 1.15);
    expect(measurePicture(product).noise).toBeLessThan(0.6);
  });

  test('finds nearly none in a clean picture', () => {
    expect(measurePicture(hills).noise).toBeLessThan(0.6);
  });

  test('finds blocks that grow as the quality falls', async () => {
    const [low, mid] = [measurePicture(await asJpeg(15)), measurePicture(await asJpeg(60))];
    expect(measurePicture(hills).blockiness).toBeLessThan(1.1);
    expect(low.blockiness).toBeGreaterThan(mid.blockiness);
    expect(low.blockiness).toBeGreaterThan(1.35);
  });

  test('tells sharp edges from blurred ones', async () => {
    const raw = { width: size.width, height: size.height, channels: 3 as const };
    const data = new Uint8Array(await sharp(hills.data, { raw }).blur(2).raw().toBuffer());
    expect(measurePicture(hills).sharpness).toBeGreaterThan(0.8);
    expect(measurePicture({ ...hills, data }).sharpness).toBeLessThan(0.5);
  });

  test('sees flat areas, but not in white ones', () => {
    const flat = paint(size, 3, (x, y) => (x + y < 256 ? [90, 20, 30] : [20, 90, 30]));
    expect(measurePicture(flat).flatness).toBeGreaterThan(0.9);
    expect(measurePicture(paint(size, 3, () => [255, 255, 255])).flatness).toBe(0);
  });

  test('takes a picture of one pixel', () => {
    expect(
      Object.values(measurePicture(paint({ width: 1, height: 1 }, 3, () => [9, 9, 9]))).every(Number.isFinite),
    ).toBe(true);
  });
});
