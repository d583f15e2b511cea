import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterEach, describe, expect, test } from 'vitest';
import type { Pixels } from '#src/engine/media/media.js';
import { imageRestoration } from '#src/engine/operations/image-restoration.js';
import { parseParams } from '#src/engine/operations/index.js';
import { paint, psnr } from '../../helpers/pictures.js';
import { random } from '../../helpers/tiny-models.js';
import { chosenModels, openWorkbench, type TestBench } from '../../helpers/workbench.js';

let bench: TestBench | undefined;
afterEach(async () => {
  await bench?.close();
  bench = undefined;
});

const size = { width: 160, height: 128 };

/** Soft hills of light with sharp bars. */
const scene = paint(size, 3, (x, y) => {
  const soft = 120 + 60 * Math.sin(x / 40) * Math.cos(y / 33);
  const bar = x % 64 > 58 ? 90 : 0;
  return [soft + bar, soft * 0.95 + bar, soft * 0.9 + bar];
});

function withNoise(sigma: number): Pixels {
  const next = random(3);
  const gauss = () => Math.sqrt(-2 * Math.log((next() + 1) / 2 + 1e-9)) * Math.cos(Math.PI * next());
  return {
    ...scene,
    data: Uint8Array.from(scene.data, (value) => Math.min(255, Math.max(0, value + sigma * gauss()))),
  };
}

function asPng({ data, width, height, channels }: Pixels): Promise<Buffer> {
  return sharp(data, { raw: { width, height, channels } }).png().toBuffer();
}

interface Chosen {
  chosen: Record<string, { amount: number; reason: string }>;
}

async function perform(picture: Pixels | Buffer, params: Record<string, unknown>) {
  const opened = await openWorkbench({
    models: await chosenModels(imageRestoration, params),
    input: async (folder) => {
      const path = join(folder, 'input');
      await writeFile(path, Buffer.isBuffer(picture) ? picture : await asPng(picture));
      return path;
    },
  });
  bench = opened;
  const outcome = await imageRestoration.perform(opened, parseParams(imageRestoration, params).params);
  const { data, info } = await sharp(outcome.outputs[0]?.path).raw().toBuffer({ resolveWithObject: true });
  return { ...outcome, facts: outcome.facts as unknown as Chosen, data: new Uint8Array(data), channels: info.channels };
}

describe('image-restoration', () => {
  test('takes out noise that it measured itself, and says how much', async () => {
    const noisy = withNoise(25);
    const { data, facts } = await perform(noisy, {});
    expect(psnr(data, scene.data)).toBeGreaterThan(psnr(noisy.data, scene.data) + 4);
    // 1 stands for a deviation of 50 levels.
    expect(facts.chosen.denoise?.amount).toBeCloseTo(0.5, 0);
    expect(facts.chosen.denoise?.reason).toMatch(/^noise of \d/);
  });

  test('filters what is only noisy once more, and leaves that be where blocks or blur would come back', async () => {
    const noisy = withNoise(25);
    await perform(noisy, { denoise: 0.5 });
    expect(bench?.stages).toContain('compose');
    for (const other of [{ deblock: 0.2 }, { deblur: 0.2 }]) {
      await bench?.close();
      await perform(noisy, { denoise: 0.5, ...other });
      expect(bench?.stages).not.toContain('compose');
    }
  });

  test('comes a little nearer by the average of all turns and mirrors', async () => {
    // With noise alone the filter that follows brings both to the same.
    const soft = await sharp(await asPng(withNoise(12)))
      .blur(0.8)
      .png()
      .toBuffer();
    const told = { denoise: 0.2, deblur: 0.4 };
    const once = await perform(soft, told);
    await bench?.close();
    const eight = await perform(soft, { ...told, tta: true });
    expect(psnr(eight.data, scene.data)).toBeGreaterThan(psnr(once.data, scene.data));
  });

  test('leaves a clean picture as it is, to the last bit', async () => {
    const { data, facts } = await perform(scene, {});
    expect(data).toEqual(scene.data);
    expect(Object.values(facts.chosen).map(({ amount }) => amount)).toEqual(Array(8).fill(0));
    expect(bench?.stages).not.toContain('infer');
  });

  test('reads the compression of a JPEG file from the file', async () => {
    const { width, height, channels } = scene;
    const raw = { width, height, channels: channels as 3 };
    const coded = await sharp(scene.data, { raw }).jpeg({ quality: 15 }).toBuffer();
    const before = new Uint8Array(await sharp(coded).raw().toBuffer());
    const { data, facts } = await perform(coded, {});
    expect(facts.chosen.deblock).toEqual({ amount: 0.85, reason: 'JPEG of quality 15' });
    expect(psnr(data, scene.data)).toBeGreaterThan(psnr(before, scene.data));
  });

  test('does as it is told, and no more', async () => {
    const noisy = withNoise(25);
    const { data, facts } = await perform(noisy, { denoise: 0, deblock: '0' });
    expect(data).toEqual(noisy.data);
    expect(facts.chosen.denoise).toEqual({ amount: 0, reason: 'as asked' });
  });

  test('does more for a higher strength', async () => {
    const noisy = withNoise(15);
    const weak = await perform(noisy, { denoise: 0.1 });
    await bench?.close();
    const strong = await perform(noisy, { denoise: 0.6 });
    expect(psnr(strong.data, noisy.data)).toBeLessThan(psnr(weak.data, noisy.data));
  });

  test('makes the light of a lamp white when it may choose', async () => {
    const next = random(8);
    const patches = Array.from({ length: 80 }, () => 20 + 200 * Math.abs(next()));
    const lamp = paint(size, 3, (x, y) => {
      const level = patches[Math.floor(y / 16) * 10 + Math.floor(x / 16)] ?? 0;
      return [level, level * 0.9, level * 0.7];
    });
    const { data, facts } = await perform(lamp, { auto: true, denoise: 0, deblock: 0, deblur: 0 });
    expect(facts.chosen.white_balance?.amount).toBeGreaterThan(0);
    const mean = (samples: Uint8Array, channel: number) =>
      samples.filter((_, at) => at % 3 === channel).reduce((a, b) => a + b, 0);
    expect(mean(data, 2) / mean(data, 0)).toBeGreaterThan(mean(lamp.data, 2) / mean(lamp.data, 0) + 0.1);
  });

  test('finds scratches and fills them, when it is asked to', async () => {
    const isScratch = (x: number, y: number) => Math.abs(x - 30 - y / 4) < 1 && y > 10 && y < 118;
    const scratched = paint(size, 3, (x, y) => {
      const at = 3 * (y * 160 + x);
      return isScratch(x, y) ? [245, 245, 245] : [...scene.data.slice(at, at + 3)];
    });
    const { data, facts } = await perform(scratched, { scratches: 0.6, denoise: 0, deblock: 0 });
    expect(psnr(data, scene.data)).toBeGreaterThan(psnr(scratched.data, scene.data) + 6);
    expect(facts.chosen.scratches).toMatchObject({ amount: 0.6, reason: expect.stringMatching(/^thin lines on \d/) });
  });

  test('keeps transparency', async () => {
    const noisy = withNoise(20);
    const clear = paint(size, 4, (x, y) => [
      ...noisy.data.slice(3 * (y * 160 + x), 3 * (y * 160 + x) + 3),
      x < 80 ? 255 : 0,
    ]);
    const { data, channels } = await perform(clear, {});
    expect(channels).toBe(4);
    expect(data[4 * 20 + 3]).toBe(255);
    expect(data[4 * 120 + 3]).toBe(0);
  });

  test.each([
    [{ denoise: 2 }, 'Expected `denoise` to be auto or a number from 0 to 1, got 2'],
    [{ exposure: 'much' }, 'Expected `exposure` to be auto or a number from 0 to 1, got "much"'],
  ])('refuses %j', (raw, message) => {
    expect(() => parseParams(imageRestoration, raw)).toThrow(message);
  });
});
