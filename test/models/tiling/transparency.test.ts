import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Pixels } from '#src/engine/media/media.js';
import { readLockfile } from '#src/models/lockfile.js';
import type { UpscaleModel } from '#src/models/model.js';
import { partsOf } from '#src/models/files/parts.js';
import { createSession } from '#src/models/session.js';
import { bleed, enlargeTransparent } from '#src/models/tiling/transparency.js';
import { upscaler } from '#src/models/upscaler.js';
import { bundledFolder, lockfilePath } from '#src/models/files/weights.js';
import { noise, onBackground, paint, psnr } from '../../helpers/pictures.js';

async function bundledModel(id: string): Promise<UpscaleModel> {
  const entry = readLockfile(lockfilePath).models.find((model) => model.id === id);
  if (!entry) throw new Error(`${id} is not in the lock file`);
  const session = await createSession(readFileSync(`${bundledFolder}/${id}.onnx`), { device: 'cpu', threads: 1 });
  return upscaler.wrap(entry, session, partsOf(entry, [])) as UpscaleModel;
}

/** A yellow disc on nothing, its edge smooth; the colour under full transparency is black, as most programs write it. */
function disc(size: number): Pixels {
  return paint({ width: size, height: size }, 4, (x, y) => {
    const distance = Math.hypot(x + 0.5 - size / 2, y + 0.5 - size / 2) / size;
    const alpha = Math.round(255 * Math.min(1, Math.max(0, (0.35 - distance) * size + 0.5)));
    return alpha === 0 ? [0, 0, 0, 0] : [250, 200, 30, alpha];
  });
}

describe('bleed', () => {
  test('gives transparent pixels the colour of their visible neighbours, ring by ring', () => {
    const picture = paint({ width: 9, height: 1 }, 4, (x) => (x === 4 ? [10, 20, 30, 255] : [99, 99, 99, 0]));
    const { data } = bleed(picture, 2);
    const reds = Array.from({ length: 9 }, (_, x) => data[3 * x]);
    expect(reds).toEqual([99, 99, 10, 10, 10, 10, 10, 99, 99]);
  });

  test('leaves every visible colour as it was', () => {
    const picture = paint({ width: 20, height: 20 }, 4, (x, y) => [x * 9, y * 9, 7, (x + y) % 3 ? 1 : 0]);
    const { data } = bleed(picture);
    for (let at = 0; at < 400; at++) {
      if (picture.data[4 * at + 3] !== 0)
        expect(data.subarray(3 * at, 3 * at + 3)).toEqual(picture.data.subarray(4 * at, 4 * at + 3));
    }
  });

  test('weighs neighbours with their alpha', () => {
    const picture = paint(
      { width: 3, height: 1 },
      4,
      (x) =>
        [
          [100, 0, 0, 200],
          [0, 0, 0, 0],
          [0, 0, 100, 50],
        ][x] as number[],
    );
    expect([...bleed(picture).data.subarray(3, 6)]).toEqual([80, 0, 20]);
  });
});

describe('enlargeTransparent', () => {
  test.each(['upscale-x2', 'upscale-x4'])('with %s leaves no dark fringe', async (id) => {
    const model = await bundledModel(id);
    const result = await enlargeTransparent(disc(40), model);
    for (let at = 0; at < result.width * result.height; at++) {
      const [red = 0, green = 0, blue = 0, alpha = 0] = result.data.subarray(4 * at, 4 * at + 4);
      if (alpha === 0) continue;
      expect(Math.abs(red - 250) + Math.abs(green - 200) + Math.abs(blue - 30)).toBeLessThan(24);
    }
  });

  test.each([
    ['upscale-x2', 32],
    ['upscale-x4', 26],
  ] as const)('with %s comes near the truth on any background, nearer than colours as they are', async (id, least) => {
    const model = await bundledModel(id);
    const [small, truth] = [disc(40), disc(40 * model.scale)];
    const result = await enlargeTransparent(small, model);
    const careless = { ...result, data: result.data.slice() };
    const colours = await model.upscale(
      paint(small, 3, (x, y) => [...small.data.subarray(4 * (y * 40 + x), 4 * (y * 40 + x) + 3)]),
    );
    for (let at = 0; at < colours.data.length; at++)
      careless.data[4 * Math.floor(at / 3) + (at % 3)] = colours.data[at] as number;
    for (const background of [
      [255, 255, 255],
      [0, 0, 0],
      [30, 90, 200],
    ] as const) {
      const expected = onBackground(truth, background).data;
      const careful = psnr(onBackground(result, background).data, expected);
      expect(careful).toBeGreaterThan(least);
      expect(careful).toBeGreaterThanOrEqual(psnr(onBackground(careless, background).data, expected));
    }
  });

  test('keeps plainly opaque and plainly transparent areas exactly so', async () => {
    const model = await bundledModel('upscale-x2');
    const picture = paint({ width: 24, height: 24 }, 4, (x, y) => [200, x * 9, y * 9, x < 12 ? 255 : 0]);
    const { data, width } = await enlargeTransparent(picture, model);
    for (let at = 0; at < width * 48; at++) {
      if (at % width < 22) expect(data[4 * at + 3]).toBe(255);
      if (at % width >= 26) expect(data[4 * at + 3]).toBe(0);
    }
  });

  test('does not trouble the network with what is not there', async () => {
    let runs = 0;
    const counted: UpscaleModel = {
      id: 'counted',
      scale: 2,
      overlap: 0,
      upscale: async ({ width, height }) => {
        runs += 1;
        return { data: new Uint8Array(12 * width * height), width: 2 * width, height: 2 * height, channels: 3 };
      },
    };
    const runsFor = async (alpha: (x: number) => number) => {
      runs = 0;
      await enlargeTransparent(
        paint({ width: 8, height: 8 }, 4, (x) => [1, 2, 3, alpha(x)]),
        counted,
      );
      return runs;
    };
    expect(await runsFor(() => 0)).toBe(0);
    expect(await runsFor(() => 255)).toBe(1);
    expect(await runsFor((x) => x * 30)).toBe(2);
  });

  test('an opaque picture comes out like one without an alpha channel', async () => {
    const model = await bundledModel('upscale-x2');
    const picture = noise({ width: 20, height: 30 }, 3);
    const opaque = paint(picture, 4, (x, y) => [...picture.data.subarray(3 * (y * 20 + x), 3 * (y * 20 + x) + 3), 255]);
    const result = await enlargeTransparent(opaque, model);
    expect(onBackground(result, [0, 0, 0]).data).toEqual((await model.upscale(picture)).data);
  });
});
