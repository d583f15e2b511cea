import { describe, expect, test } from 'vitest';
import type { Pixels } from '#src/engine/media/media.js';
import type { UpscaleModel } from '#src/models/model.js';
import { partsOf } from '#src/models/files/parts.js';
import { createSession } from '#src/models/session.js';
import { enlarge } from '#src/models/tiling/tiling.js';
import { upscaler } from '#src/models/upscaler.js';
import { joinRows, noise, paint, psnr, readerOf } from '../../helpers/pictures.js';
import { tinyUpscaler } from '../../helpers/tiny-models.js';

async function tinyModel(scale = 2): Promise<UpscaleModel> {
  const { bytes, entry } = tinyUpscaler(scale);
  const session = await createSession(bytes, { device: 'cpu', threads: 1, model: entry });
  return upscaler.wrap(entry, session, partsOf(entry, [])) as UpscaleModel;
}

async function run(picture: Pixels, model: UpscaleModel, tile: number) {
  const source = readerOf(picture);
  const written: Pixels[] = [];
  const fractions: number[] = [];
  await enlarge(source, model, {
    tile,
    write: async (rows) => void written.push({ ...rows, data: rows.data.slice() }),
    checkpoint: (fraction) => void fractions.push(fraction),
  });
  return { result: joinRows(written), written, fractions, reads: source.reads };
}

describe('enlarge', () => {
  test.each([
    [1, 1],
    [1, 150],
    [150, 1],
    [64, 64],
    [65, 64],
    [97, 203],
    [333, 130],
  ])('gives for %d × %d exactly what the network gives in one run', async (width, height) => {
    const model = await tinyModel();
    const picture = noise({ width, height }, 3);
    const { result } = await run(picture, model, 64);
    expect(result).toMatchObject({ width: 2 * width, height: 2 * height, channels: 3 });
    expect(psnr(result.data, (await model.upscale(picture)).data)).toBe(Number.POSITIVE_INFINITY);
  });

  test('does not depend on the tiles with transparency either', async () => {
    const model = await tinyModel();
    const opaque = noise({ width: 150, height: 170 }, 4);
    // Islands and holes of every size, soft at their edges.
    const picture = paint(opaque, 4, (x, y) => {
      const alpha = 128 + 400 * Math.sin(x / 9) * Math.sin(y / 11);
      const at = 4 * (y * opaque.width + x);
      return [...opaque.data.subarray(at, at + 3), alpha];
    });
    const [tiled, whole] = [await run(picture, model, 64), await run(picture, model, 256)];
    expect(tiled.fractions.length).toBeGreaterThan(4);
    expect(whole.fractions).toHaveLength(1);
    expect(psnr(tiled.result.data, whole.result.data)).toBe(Number.POSITIVE_INFINITY);
  });

  test('asks for a few rows at a time, however high the picture is', async () => {
    const model = await tinyModel();
    for (const height of [200, 800]) {
      const { reads, written } = await run(noise({ width: 40, height }, 3), model, 64);
      expect(Math.max(...reads)).toBeLessThanOrEqual(64);
      expect(Math.max(...written.map((band) => band.height))).toBeLessThanOrEqual(64 * 2);
    }
  });

  test('makes tiles of a very wide picture low enough for its rows to stay small', async () => {
    const blank: UpscaleModel = {
      id: 'blank',
      scale: 8,
      overlap: 0,
      upscale: async ({ width, height }) => {
        const size = { width: 8 * width, height: 8 * height };
        return { data: new Uint8Array(size.width * size.height * 3).fill(9), ...size, channels: 3 };
      },
    };
    let largest = 0;
    await enlarge(readerOf(noise({ width: 9_000, height: 120 }, 3)), blank, {
      checkpoint: () => {},
      write: async ({ data }) => {
        largest = Math.max(largest, data.length);
      },
    });
    expect(largest).toBeGreaterThan(1_000_000);
    expect(largest).toBeLessThan(128_000_000);
  });

  test('tells its progress before every tile and stops where it is told to', async () => {
    const model = await tinyModel();
    const picture = noise({ width: 150, height: 150 }, 3);
    const { fractions } = await run(picture, model, 64);
    expect(fractions[0]).toBe(0);
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
    expect(fractions.at(-1)).toBeCloseTo(1 - 1 / fractions.length);

    let tiles = 0;
    const counted = { ...model, upscale: (tile: Pixels) => model.upscale(tile).finally(() => tiles++) };
    const stop = new Error('stop');
    const options = {
      tile: 64,
      write: async () => {},
      checkpoint: () => {
        if (tiles === 2) throw stop;
      },
    };
    await expect(enlarge(readerOf(picture), counted, options)).rejects.toBe(stop);
    expect(tiles).toBe(2);
  });

  test('fails rather than give a black picture for one that is not', async () => {
    const broken: UpscaleModel = {
      id: 'broken',
      scale: 2,
      overlap: 0,
      upscale: async (tile) => ({ ...magnify(tile, 2), data: new Uint8Array(tile.data.length * 4) }),
    };
    await expect(run(noise({ width: 9, height: 9 }, 3), broken, 64)).rejects.toMatchObject({
      code: 'internal',
      message: expect.stringContaining('"broken" made a picture black'),
    });
    const night = paint({ width: 9, height: 9 }, 3, () => [0, 0, 3]);
    expect((await run(night, broken, 64)).result.width).toBe(18);
    const nothing = paint({ width: 9, height: 9 }, 4, () => [200, 200, 200, 0]);
    expect((await run(nothing, broken, 64)).result.channels).toBe(4);
  });

  test('leaves no visible seam where two tiles disagree', async () => {
    // Each tile comes out brighter or darker than its neighbours, as from a network that looks beyond its overlap.
    let calls = 0;
    const moody: UpscaleModel = {
      id: 'moody',
      scale: 2,
      overlap: 4,
      upscale: async (tile) => brighten(magnify(tile, 2), calls++ % 2 === 0 ? 0 : 6),
    };
    const gradient = paint({ width: 200, height: 200 }, 3, (x) => Array(3).fill(50 + x / 2));
    const { result, fractions } = await run(gradient, moody, 96);
    expect(fractions.length).toBeGreaterThanOrEqual(9);
    expect(largestStep(result)).toBeLessThanOrEqual(2);
  });
});

function magnify({ data, width, height, channels }: Pixels, scale: number): Pixels {
  const size = { width: width * scale, height: height * scale };
  const result = new Uint8Array(size.width * size.height * channels);
  for (let at = 0; at < result.length; at++) {
    const [x, y] = [Math.floor(at / channels) % size.width, Math.floor(at / channels / size.width)];
    result[at] = data[(Math.floor(y / scale) * width + Math.floor(x / scale)) * channels + (at % channels)] as number;
  }
  return { data: result, ...size, channels };
}

function brighten(picture: Pixels, by: number): Pixels {
  return { ...picture, data: picture.data.map((value) => value + by) };
}

/** Between neighbours, across and down. */
function largestStep({ data, width, height, channels }: Pixels): number {
  let largest = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const value = data[(y * width + x) * channels] as number;
      if (x > 0) largest = Math.max(largest, Math.abs(value - (data[(y * width + x - 1) * channels] as number)));
      if (y > 0) largest = Math.max(largest, Math.abs(value - (data[((y - 1) * width + x) * channels] as number)));
    }
  }
  return largest;
}
