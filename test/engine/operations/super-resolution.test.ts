import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterEach, describe, expect, test } from 'vitest';
import { EngineError } from '#src/engine/errors.js';
import type { Pixels } from '#src/engine/media/media.js';
import { parseParams } from '#src/engine/operations/index.js';
import { superResolution } from '#src/engine/operations/super-resolution.js';
import { noise, onBackground, paint, psnr } from '../../helpers/pictures.js';
import { type BenchOptions, chosenModels, openWorkbench, type TestBench } from '../../helpers/workbench.js';

let bench: TestBench | undefined;
afterEach(async () => {
  await bench?.close();
  bench = undefined;
});

/** Stripes, rings and a ramp: something to see at every scale, the same picture at any size. */
function testCard(size: number, channels: 3 | 4): Pixels {
  return paint({ width: size, height: size }, channels, (x, y) => {
    const [u, v] = [(x + 0.5) / size - 0.5, (y + 0.5) / size - 0.5];
    const ring = 127 + 110 * Math.sin(60 * Math.hypot(u, v));
    const alpha = Math.min(1, Math.max(0, (0.4 - Math.hypot(u, v)) * size + 0.5));
    return channels === 3 || alpha > 0
      ? [ring, 255 * (u + 0.5), 127 + 90 * Math.sin(40 * v), 255 * alpha].slice(0, channels)
      : [0, 0, 0, 0];
  });
}

async function perform(picture: Pixels, params: Record<string, unknown>, options: Partial<BenchOptions> = {}) {
  const opened = await openWorkbench({
    models: await chosenModels(superResolution, params),
    input: async (folder) => {
      const path = join(folder, 'input.png');
      const { data, width, height, channels } = picture;
      await sharp(data, { raw: { width, height, channels } }).png().toFile(path);
      return path;
    },
    ...options,
  });
  bench = opened;
  return superResolution.perform(opened, parseParams(superResolution, params).params);
}

async function read(path: string): Promise<Pixels> {
  const { data, info } = await sharp(path).raw().toBuffer({ resolveWithObject: true });
  return { data: new Uint8Array(data), width: info.width, height: info.height, channels: info.channels as 3 | 4 };
}

async function lanczos({ data, width, height, channels }: Pixels, scale: number): Promise<Uint8Array> {
  return sharp(data, { raw: { width, height, channels } })
    .resize(width * scale, height * scale, { kernel: 'lanczos3' })
    .raw()
    .toBuffer();
}

describe('super-resolution', () => {
  test.each([2, 4])('enlarges %d times, nearer to the truth than Lanczos', async (scale) => {
    const small = testCard(90, 3);
    const outcome = await perform(small, { scale });
    const [output] = outcome.outputs;
    expect(output).toMatchObject({ format: 'png', contentType: 'image/png', width: 90 * scale, height: 90 * scale });
    expect(outcome).toMatchObject({ warnings: [], facts: { scale, input: { width: 90, height: 90 } } });
    const large = await read(output?.path ?? '');
    const truth = testCard(90 * scale, 3).data;
    expect(psnr(large.data, truth)).toBeGreaterThan(psnr(await lanczos(small, scale), truth));
  });

  test('keeps transparency, without a fringe on any background', async () => {
    const outcome = await perform(testCard(90, 4), { scale: 2 });
    const large = await read(outcome.outputs[0]?.path ?? '');
    expect(large.channels).toBe(4);
    const truth = testCard(180, 4);
    for (const background of [
      [0, 0, 0],
      [255, 255, 255],
    ] as const) {
      expect(psnr(onBackground(large, background).data, onBackground(truth, background).data)).toBeGreaterThan(27);
    }
  });

  test('puts a transparent picture on white for JPEG, and says so', async () => {
    const outcome = await perform(testCard(40, 4), { format: 'jpg' });
    expect(outcome.warnings).toEqual(['JPEG has no transparency: the picture was put on white']);
    const { data, channels } = await read(outcome.outputs[0]?.path ?? '');
    expect(channels).toBe(3);
    expect(Math.min(...data.subarray(0, 3))).toBeGreaterThan(250);
  });

  test('refuses a result that the format cannot hold before it works for it', async () => {
    const wide = paint({ width: 9_000, height: 2 }, 3, () => [1, 2, 3]);
    const attempt = perform(wide, { format: 'webp' });
    await expect(attempt).rejects.toMatchObject({ code: 'too_large', details: { param: 'format' } });
    expect(bench?.stages).toEqual(['decode']);
  });

  test('tells its stages in order', async () => {
    await perform(testCard(20, 3), {});
    expect(bench?.stages).toEqual(['decode', 'infer', 'encode']);
  });

  test('stops between two tiles when it is told to', async () => {
    const cancelled = new EngineError('cancelled', 'Cancelled');
    const seen: number[] = [];
    const onCheckpoint = (stage: string, fraction: number) => {
      if (stage !== 'infer') return;
      seen.push(fraction);
      if (seen.length === 2) throw cancelled;
    };
    await expect(perform(testCard(500, 3), {}, { onCheckpoint })).rejects.toBe(cancelled);
    expect(seen).toEqual([0, 0.25]);
  });

  test.each([
    [{ scale: 3 }, 4, 270],
    [{ scale: 1.5 }, 2, 135],
    [{ scale: 6 }, 4, 540],
    [{ target_width: 400 }, 4, 400],
  ])('reaches any size by a model and a resampler: %j', async (params, step, width) => {
    const outcome = await perform(testCard(90, 3), params);
    expect(outcome.facts).toMatchObject({ step, output: { width, height: width } });
    const large = await read(outcome.outputs[0]?.path ?? '');
    expect(large).toMatchObject({ width, height: width });
    const truth = testCard(width, 3).data;
    const plain = await lanczos(testCard(90, 3), width / 90);
    expect(psnr(large.data, truth)).toBeGreaterThan(psnr(plain, truth));
  });

  test('refuses a target that is smaller than the picture', async () => {
    await expect(perform(testCard(90, 3), { target_width: 60 })).rejects.toMatchObject({
      code: 'invalid_input',
      details: { param: 'target_width' },
      message: 'Expected `target_width` to be at least the 90 pixels of the picture, got 60',
    });
  });

  test('gains a little by the average of all turns and mirrors', async () => {
    const small = testCard(90, 3);
    const truth = testCard(180, 3).data;
    const once = await read((await perform(small, {})).outputs[0]?.path ?? '');
    await bench?.close();
    const eight = await read((await perform(small, { tta: true })).outputs[0]?.path ?? '');
    expect(psnr(eight.data, truth)).toBeGreaterThan(psnr(once.data, truth));
  });

  test('gives the same in small tiles', async () => {
    const small = testCard(150, 3);
    const whole = await read((await perform(small, {})).outputs[0]?.path ?? '');
    await bench?.close();
    const outcome = await perform(small, { tile: 64 });
    expect(outcome.facts.tile).toBe(64);
    expect((await read(outcome.outputs[0]?.path ?? '')).data).toEqual(whole.data);
  });

  test('shows seams when tiles see nothing of what is around them', async () => {
    const small = testCard(150, 3);
    const exact = await read((await perform(small, { tile: 64, tile_pad: 48 })).outputs[0]?.path ?? '');
    await bench?.close();
    const blind = await read((await perform(small, { tile: 64, tile_pad: 0 })).outputs[0]?.path ?? '');
    await bench?.close();
    const usual = await read((await perform(small, {})).outputs[0]?.path ?? '');
    expect(exact.data).toEqual(usual.data);
    expect(blind.data).not.toEqual(usual.data);
  });

  test.each([
    ['photograph', testCard(128, 3)],
    ['damaged', noise({ width: 128, height: 128 }, 3)],
    ['drawing', drawing(128)],
  ] as const)('sees a %s, and says why', async (content, picture) => {
    const { facts } = await perform(picture, {});
    expect(facts).toMatchObject({ content, contentReason: expect.any(String) });
  });

  test.each([
    [testCard(128, 3), 4, 'upscale-x4'],
    [noise({ width: 128, height: 128 }, 3), 4, 'upscale-x4-real'],
    [noise({ width: 128, height: 128 }, 3), 2, 'upscale-x4-real'],
  ])('takes the model for damaged pictures for those alone, at every scale, case %#', async (picture, scale, model) => {
    const outcome = await perform(picture, { scale });
    expect(outcome).toMatchObject({ modelActual: model, facts: { step: 4, output: { width: 128 * scale } } });
  });

  test('says that there is nothing to mix with', async () => {
    const { warnings } = await perform(testCard(20, 3), { denoise_strength: 0.5, model: 'upscale-x2' });
    expect(warnings).toEqual(['`denoise_strength` was ignored: the model that was chosen has no twin to mix with']);
  });
});

/** Flat areas with sharp borders. */
function drawing(side: number): Pixels {
  const colours = [
    [200, 40, 40],
    [40, 90, 200],
    [240, 200, 60],
  ];
  const size = { width: side, height: side };
  return paint(size, 3, (x, y) => colours[(Math.floor(x / 20) + 2 * Math.floor(y / 28)) % 3] as number[]);
}

test('super-resolution keeps the EXIF block when it is asked to', async () => {
  const exif = { IFD0: { Copyright: 'Somebody' } };
  const file = await sharp(testCard(40, 3).data, { raw: { width: 40, height: 40, channels: 3 } })
    .withMetadata({ exif })
    .jpeg()
    .toBuffer();
  for (const keep_metadata of [true, false]) {
    const opened = await openWorkbench({
      models: await chosenModels(superResolution, {}),
      input: async (folder) => {
        await writeFile(join(folder, 'input.jpg'), file);
        return join(folder, 'input.jpg');
      },
    });
    const { params } = parseParams(superResolution, { keep_metadata });
    const { outputs } = await superResolution.perform(opened, params);
    const found = (await sharp(outputs[0]?.path).metadata()).exif?.toString('latin1') ?? '';
    expect(found.includes('Somebody')).toBe(keep_metadata);
    await opened.close();
  }
});
