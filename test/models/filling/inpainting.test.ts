import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Pixels } from '#src/engine/media/media.js';
import { inpaint } from '#src/models/filling/inpainting.js';
import { type LoadedModel, loadModel } from '#src/models/load.js';
import { readLockfile } from '#src/models/lockfile.js';
import type { InpaintModel } from '#src/models/model.js';
import { lockfilePath } from '#src/models/files/weights.js';
import { tinyLama } from '../../helpers/listed-models.js';
import { joinRows, noise, paint, readerOf } from '../../helpers/pictures.js';
import { install, tinyInpainter } from '../../helpers/tiny-models.js';

let folder: string;
const loaded: LoadedModel[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'darkroom-inpainting-'));
});
afterAll(async () => {
  for (const model of loaded) await model.release();
  await rm(folder, { recursive: true });
});

async function tiny(size: number): Promise<InpaintModel> {
  const made = tinyInpainter(size);
  await install(made, folder);
  return use(await loadModel(made.entry, { folder, device: 'cpu', threads: 1 }));
}

async function lama(): Promise<InpaintModel> {
  const made = tinyLama();
  await install(made, folder);
  return use(await loadModel(made.entry, { folder, device: 'cpu', threads: 1 }));
}

async function bundled(): Promise<InpaintModel> {
  const entry = readLockfile(lockfilePath).models.find(({ id }) => id === 'inpaint');
  if (!entry) throw new Error('No model "inpaint"');
  return use(await loadModel(entry, { folder, device: 'cpu', threads: 1 }));
}

function use(model: LoadedModel): InpaintModel {
  loaded.push(model);
  if (model.task !== 'inpainting') throw new Error(`Expected a model for inpainting, got one for ${model.task}`);
  return model.model;
}

interface Run {
  result: Pixels;
  /** What checkpoint was told. */
  fractions: number[];
}

async function run(picture: Pixels, mask: Pixels, model: InpaintModel): Promise<Run> {
  const bands: Pixels[] = [];
  const fractions: number[] = [];
  await inpaint(readerOf(picture), mask, model, {
    write: async (rows) => void bands.push({ ...rows, data: rows.data.slice() }),
    checkpoint: (fraction) => fractions.push(fraction),
  });
  return { result: joinRows(bands), fractions };
}

function maskOf({ width, height }: Pixels, isMarked: (x: number, y: number) => boolean): Pixels {
  const data = Uint8Array.from({ length: width * height }, (_, at) =>
    isMarked(at % width, Math.floor(at / width)) ? 255 : 0,
  );
  return { data, width, height, channels: 1 };
}

/** Samples outside the mask that are not those of the picture. */
function touched({ data, channels }: Pixels, picture: Pixels, mask: Pixels): number {
  const isOff = (at: number) => mask.data[Math.floor(at / channels)] === 0 || at % channels === 3;
  return data.filter((value, at) => isOff(at) && value !== picture.data[at]).length;
}

describe('inpaint', () => {
  test.each([3, 4] as const)('changes nothing but the colours under the mask, with %d channels', async (channels) => {
    const picture = noise({ width: 300, height: 200 }, channels);
    const mask = maskOf(picture, (x, y) => (x - 60) ** 2 + (y - 50) ** 2 < 400 || (x > 250 && y > 190));
    const { result } = await run(picture, mask, await tiny(512));
    expect(touched(result, picture, mask)).toBe(0);
    expect(result.data).not.toEqual(picture.data);
  });

  test('writes a picture without any mark as it is, and runs no model', async () => {
    const picture = noise({ width: 70, height: 300 }, 3);
    const { result, fractions } = await run(
      picture,
      maskOf(picture, () => false),
      await tiny(512),
    );
    expect(result).toEqual(picture);
    expect(fractions).toEqual([]);
  });

  test('fills a hole that is larger than the model’s window in parts, without a seam', async () => {
    const picture = paint({ width: 520, height: 150 }, 3, (x, y) => [40 + x / 6, 40 + y / 6, 120]);
    const mask = maskOf(picture, (x, y) => x > 30 && x < 490 && y > 60 && y < 90);
    const { result, fractions } = await run(picture, mask, await tiny(256));
    expect(fractions.length).toBeGreaterThan(4);
    expect(touched(result, picture, mask)).toBe(0);
    expect(largestStep(result)).toBeLessThan(12);
  });

  test('reads only the rows around a hole, and every row once to write it', async () => {
    const picture = noise({ width: 40, height: 5000 }, 3);
    const mask = maskOf(picture, (_, y) => y > 2400 && y < 2420);
    const reader = readerOf(picture);
    await inpaint(reader, mask, await tiny(512), { write: async () => {}, checkpoint: () => {} });
    expect(reader.reads.reduce((sum, rows) => sum + rows, 0)).toBeLessThan(5000 + 200);
  });

  test('writes, where only that is wanted, the rows in which something was filled', async () => {
    const picture = noise({ width: 40, height: 1000 }, 3);
    const mask = maskOf(picture, (x, y) => x === 20 && (y === 130 || y === 900));
    const model = await tiny(512);
    const { result } = await run(picture, mask, model);
    const bands: [top: number, rows: Pixels][] = [];
    await inpaint(readerOf(picture), mask, model, {
      write: async (rows, top) => void bands.push([top, rows]),
      onlyFilled: true,
      checkpoint: () => {},
    });
    expect(bands.map(([top, { height }]) => [top, height])).toEqual([
      [128, 128],
      [896, 104],
    ]);
    for (const [top, { data }] of bands) {
      expect(Buffer.from(data).equals(result.data.subarray(120 * top, 120 * top + data.length))).toBe(true);
    }
  });

  test('stops where checkpoint throws', async () => {
    const picture = noise({ width: 100, height: 100 }, 3);
    const mask = maskOf(picture, (x, y) => x === y);
    const stop = inpaint(readerOf(picture), mask, await tiny(512), {
      write: async () => expect.fail('wrote after it was stopped'),
      checkpoint: () => {
        throw new Error('stopped');
      },
    });
    await expect(stop).rejects.toThrow('stopped');
  });
});

describe('inpaint with a model of one size that paints texture', () => {
  test('shows it as much around a hole as it has room for, and keeps what it paints', async () => {
    const picture = noise({ width: 700, height: 400 }, 3);
    const mask = maskOf(picture, (x, y) => x > 640 && x < 660 && y > 100 && y < 120);
    const model = await lama();
    const seen: { crop: Pixels; filled: Pixels }[] = [];
    const fill: InpaintModel['fill'] = async (crop, marks, sketch) => {
      const filled = await model.fill(crop, marks, sketch);
      seen.push({ crop, filled });
      return filled;
    };
    const { result } = await run(picture, mask, { ...model, fill });
    expect(seen.map(({ crop: { width, height } }) => [width, height])).toEqual([[512, 400]]);
    const [row, column] = [110, 650];
    const [there, painted] = [3 * (row * 700 + column), 3 * (row * 512 + column - (700 - 512))];
    expect(result.data.slice(there, there + 9)).toEqual(seen[0]?.filled.data.slice(painted, painted + 9));
    expect(touched(result, picture, mask)).toBe(0);
  });

  test('fills a hole that is long and thin window by window, without a sketch', async () => {
    const picture = noise({ width: 1200, height: 90 }, 3);
    const mask = maskOf(picture, (x, y) => x > 20 && x < 1180 && y > 40 && y < 44);
    const model = await lama();
    const seen: unknown[] = [];
    const fill: InpaintModel['fill'] = (crop, marks, sketch) => {
      seen.push([crop.width, crop.height, sketch]);
      return model.fill(crop, marks, sketch);
    };
    const { result, fractions } = await run(picture, mask, { ...model, fill });
    expect(seen.length).toBeGreaterThan(2);
    expect(new Set(seen.map(String))).toEqual(new Set([String([512, 90, undefined])]));
    expect(touched(result, picture, mask)).toBe(0);
    expect(fractions).toEqual([...fractions].sort((one, other) => one - other));
    // The mean of noise, and a little grain, where the noise was.
    expect(
      result.data.slice(3 * (42 * 1200 + 600), 3 * (42 * 1200 + 620)).every((level) => level > 90 && level < 165),
    ).toBe(true);
  });

  test('gives a hole that is too large for it the shapes of a sketch and a texture from around it', async () => {
    const grain = noise({ width: 640, height: 640 }, 3).data;
    const picture = paint({ width: 640, height: 640 }, 3, (x, y) => {
      const level = 120 + ((grain[3 * (y * 640 + x)] as number) - 128) / 5;
      return [level, level, level];
    });
    const mask = maskOf(picture, (x, y) => x > 60 && x < 580 && y > 60 && y < 580);
    const { result, fractions } = await run(picture, mask, await lama());
    expect(fractions.length).toBeGreaterThan(3);
    expect(touched(result, picture, mask)).toBe(0);
    expect(stepAcross(result, mask)).toBeLessThan(1.5 * stepAcross(picture, mask));
    const inside = result.data.filter((_, at) => mask.data[Math.floor(at / 3)] !== 0);
    const mean = inside.reduce((sum, level) => sum + level, 0) / inside.length;
    expect(Math.abs(mean - 120)).toBeLessThan(4);
    const spread = Math.sqrt(inside.reduce((sum, level) => sum + (level - mean) ** 2, 0) / inside.length);
    expect(spread).toBeGreaterThan(4);
  });
});

describe('inpaint with the bundled model', () => {
  test('leaves no border: steps across the edge of the mask are no larger than steps beside it', async () => {
    const picture = paint({ width: 256, height: 200 }, 3, (x, y) => {
      const wave = 30 * Math.sin(x / 9) + 20 * Math.cos(y / 13);
      return [120 + wave, 110 + wave / 2 + x / 8, 90 + y / 4];
    });
    const mask = maskOf(picture, (x, y) => (x - 128) ** 2 + (y - 100) ** 2 < 900);
    const { result } = await run(picture, mask, await bundled());
    expect(touched(result, picture, mask)).toBe(0);
    expect(stepAcross(result, mask)).toBeLessThan(1.5 * stepAcross(picture, mask) + 1);
  });
});

/** The largest difference between two neighbours of a row, any channel. */
function largestStep({ data, width }: Pixels): number {
  let largest = 0;
  for (let at = 3; at < data.length; at++) {
    if (Math.floor(at / 3) % width === 0) continue;
    largest = Math.max(largest, Math.abs((data[at] as number) - (data[at - 3] as number)));
  }
  return largest;
}

/** Mean difference between the two sides of the mask's edge. */
function stepAcross({ data, width }: Pixels, mask: Pixels): number {
  const steps: number[] = [];
  for (let at = 1; at < mask.data.length; at++) {
    if (at % width === 0 || mask.data[at] === mask.data[at - 1]) continue;
    for (let channel = 0; channel < 3; channel++)
      steps.push(Math.abs((data[3 * at + channel] as number) - (data[3 * at - 3 + channel] as number)));
  }
  return steps.reduce((sum, step) => sum + step, 0) / steps.length;
}
