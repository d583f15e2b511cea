import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import type { Pixels, Size } from '#src/engine/media/media.js';
import { createResampler } from '#src/models/pixels/resample.js';
import { joinRows, noise, onBackground, paint, psnr } from '../../helpers/pictures.js';

async function resample(picture: Pixels, to: Size, rowsAtATime = 7): Promise<Pixels> {
  const bands: Pixels[] = [];
  const { width, height, channels } = picture;
  if (channels === 1) throw new Error('Expected a picture in colour');
  const resampler = createResampler({
    from: { width, height, channels },
    to,
    write: async (rows) => void bands.push({ ...rows, data: rows.data.slice() }),
  });
  for (let top = 0; top < height; top += rowsAtATime) {
    const rows = Math.min(rowsAtATime, height - top);
    const data = picture.data.subarray(top * width * channels, (top + rows) * width * channels);
    await resampler.push({ data, width, height: rows, channels });
  }
  return joinRows(bands);
}

describe('createResampler', () => {
  test.each([
    [{ width: 61, height: 40 }],
    [{ width: 200, height: 333 }],
    [{ width: 1, height: 1 }],
    [{ width: 97, height: 12 }],
  ])('gives what another Lanczos gives, at %j', async (size) => {
    const picture = paint({ width: 97, height: 80 }, 3, (x, y) => [
      x * 2,
      127 + 100 * Math.sin(y / 5),
      x > 40 ? 220 : 30 + y,
    ]);
    const { data, width, height, channels } = picture;
    const expected = await sharp(data, { raw: { width, height, channels } })
      .resize(size.width, size.height, { fit: 'fill', kernel: 'lanczos3' })
      .raw()
      .toBuffer();
    const found = await resample(picture, size);
    expect(found).toMatchObject(size);
    expect(psnr(found.data, expected)).toBeGreaterThan(30);
  });

  test('leaves a picture of the same size as it is', async () => {
    const picture = noise({ width: 30, height: 20 }, 4);
    const opaque = { ...picture, data: picture.data.map((value, at) => (at % 4 === 3 ? 255 : value)) };
    expect((await resample(opaque, { width: 30, height: 20 })).data).toEqual(opaque.data);
  });

  test('gives the same however the rows come', async () => {
    const picture = noise({ width: 33, height: 50 }, 3);
    const size = { width: 20, height: 61 };
    const [one, many] = [await resample(picture, size, 1), await resample(picture, size, 50)];
    expect(one.data).toEqual(many.data);
  });

  test('lets no colour of a transparent pixel show', async () => {
    const disc = (size: number) =>
      paint({ width: size, height: size }, 4, (x, y) => {
        const inside = Math.hypot(x + 0.5 - size / 2, y + 0.5 - size / 2) < size * 0.35;
        return inside ? [250, 250, 250, 255] : [0, 0, 0, 0];
      });
    const small = await resample(disc(120), { width: 50, height: 50 });
    // A white disc on white leaves nothing to be seen; black that leaked in would.
    expect(Math.min(...onBackground(small, [250, 250, 250]).data)).toBeGreaterThanOrEqual(248);
  });
});
