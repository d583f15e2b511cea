import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterEach, describe, expect, test } from 'vitest';
import type { Pixels } from '#src/engine/media/media.js';
import { addModel } from '#src/engine/model-store/add.js';
import { imageRestoration } from '#src/engine/operations/image-restoration.js';
import { parseParams } from '#src/engine/operations/index.js';
import { type ModelEntry, readLockfile } from '#src/models/lockfile.js';
import { lockfilePath } from '#src/models/files/weights.js';
import { noise, paint } from '../../../helpers/pictures.js';
import { sharedFiles } from '../../../helpers/shared.js';
import { tempFolder } from '../../../helpers/temp-folder.js';
import { markColour, tinyColouriser, tinyFaceDetector, tinyFaceRestorer } from '../../../helpers/tiny-faces.js';
import { random, type TinyModel } from '../../../helpers/tiny-models.js';
import { chosenModels, openWorkbench, type TestBench } from '../../../helpers/workbench.js';

let bench: TestBench | undefined;
afterEach(async () => {
  await bench?.close();
  bench = undefined;
});

const detector = tinyFaceDetector();
const faceModels = (gain: number) => [detector, tinyFaceRestorer({ gain })];

const size = { width: 320, height: 256 };

/** Soft hills, and a face for the tiny detector where the cell at 128, 96 is marked; `spot` draws on the face. */
function withFace(spot: (x: number, y: number) => number = () => 0): Pixels {
  return paint(size, 3, (x, y) => {
    if (x >= 128 && x < 160 && y >= 96 && y < 128) return markColour;
    // Its sides are no strong edge, and no block of JPEG either.
    const soft = 143 + 4 * Math.sin(x / 40) * Math.cos(y / 33) + spot(x, y);
    return [soft, soft * 0.8, soft * 0.7];
  });
}

/** A sharp chequer on the cheek of that face. */
const chequer = (x: number, y: number) =>
  x >= 160 && x < 180 && y >= 120 && y < 140 ? 20 * (((x >> 1) + (y >> 1)) % 2) : 0;

interface Chosen {
  chosen: Record<string, { amount: number; reason: string }>;
}

async function perform(
  picture: Pixels,
  params: Record<string, unknown>,
  own: readonly TinyModel[],
  seams: Partial<TestBench> = {},
) {
  await bench?.close();
  const opened = await openWorkbench({
    own,
    models: await chosenModels(imageRestoration, params, own),
    input: async (folder) => {
      const path = join(folder, 'input.png');
      const { data, width, height, channels } = picture;
      await sharp(data, { raw: { width, height, channels } }).png().toFile(path);
      return path;
    },
  });
  bench = opened;
  const outcome = await imageRestoration.perform({ ...opened, ...seams }, parseParams(imageRestoration, params).params);
  const data = new Uint8Array(await sharp(outcome.outputs[0]?.path).raw().toBuffer());
  return { ...outcome, data, chosen: (outcome.facts as unknown as Chosen).chosen };
}

/** Nothing but what a test asks for. */
const alone = { denoise: 0, deblock: 0 };

describe('faces', () => {
  test('a restorer that returns its input leaves the picture as it was', async () => {
    const picture = withFace(chequer);
    const { data, chosen, warnings } = await perform(picture, { ...alone, faces: 1 }, faceModels(1));
    expect(data).toEqual(picture.data);
    expect(chosen.faces).toEqual({ amount: 1, reason: expect.stringMatching(/^as asked: a face 158 pixels wide$/) });
    expect(warnings).toEqual([]);
  });

  test('are changed by their strength, and nothing else is', async () => {
    const picture = withFace(chequer);
    const [half, full] = [
      await perform(picture, { ...alone, faces: 0.5 }, faceModels(1.6)),
      await perform(picture, { ...alone, faces: 1 }, faceModels(1.6)),
    ];
    const change = ({ data }: { data: Uint8Array }) =>
      data.reduce((sum, value, at) => sum + Math.abs(value - (picture.data[at] ?? 0)), 0);
    expect(change(half)).toBeGreaterThan(1000);
    // Half of a small change is rounded to nothing as often as not.
    expect(change(half) / change(full)).toBeGreaterThan(0.35);
    expect(change(half) / change(full)).toBeLessThan(0.55);
    const border = picture.data.map((_, at) => {
      const [x, y] = [Math.floor(at / 3) % 320, Math.floor(at / 960)];
      return x < 28 || x > 262 || y > 246 ? 1 : 0;
    });
    expect(full.data.filter((value, at) => border[at] === 1 && value !== picture.data[at])).toHaveLength(0);
  });

  test('are restored in what is left when noise was taken out', async () => {
    const next = random(3);
    const noisy = {
      ...withFace(),
      data: withFace().data.map((value) => Math.min(255, Math.max(0, value + 24 * next()))),
    };
    const plain = await perform(noisy, { denoise: 0.5, deblock: 0 }, []);
    const same = await perform(noisy, { denoise: 0.5, deblock: 0, faces: 1 }, faceModels(1));
    // The mark is found in the noise; the restorer changes nothing, so nothing but the noise is gone.
    expect(same.chosen.faces?.amount).toBe(1);
    expect(same.data).toEqual(plain.data);
  });

  test('that are not there are said to be missing, and the picture stays', async () => {
    const picture = paint(size, 3, (x) => [x / 2, 90, 90]);
    const { data, chosen, warnings } = await perform(picture, { ...alone, faces: 0.8 }, faceModels(1.5));
    expect(data).toEqual(picture.data);
    expect(chosen.faces).toEqual({ amount: 0, reason: 'no face that can be restored' });
    expect(warnings).toEqual(['There is no face that can be restored: `faces` changed nothing']);
  });

  test('are left alone by auto when nothing is wrong with them, and restored when they are blurred', async () => {
    // A dark bar beside the mark, with sharp edges, and washed out over some ten pixels.
    const bar = (x: number) => (x >= 179 && x < 206 ? -100 : 0);
    const soft = (x: number) => -50 * (Math.tanh((x - 179) / 6) - Math.tanh((x - 206) / 6));
    const sharp = await perform(withFace(bar), { ...alone, faces: 'auto' }, faceModels(1.5));
    expect(sharp.chosen.faces).toEqual({
      amount: 0,
      reason: 'a face 158 pixels wide: nothing wrong with it',
    });
    const blurred = await perform(withFace(soft), { ...alone, faces: 'auto' }, faceModels(1.5));
    expect(blurred.chosen.faces).toEqual({
      amount: 0.7,
      reason: expect.stringMatching(/^a face 158 pixels wide: the sharpest edges rise by 0\.[0-4]\d in one pixel$/),
    });
  });

  test('by auto say which model is missing; a strength refuses, with what to pull and its licence', async () => {
    const picture = withFace();
    const { data, chosen } = await perform(picture, { ...alone, auto: true, colorize: 0, exposure: 0 }, []);
    expect(chosen.faces).toEqual({ amount: 0, reason: expect.stringContaining('models pull yunet') });
    expect(data).toEqual(picture.data);
    const half = await perform(picture, { ...alone, faces: 'auto' }, [detector]);
    expect(half.chosen.faces?.reason).toContain('models pull restoreformer-plus-plus');
    await expect(chosenModels(imageRestoration, { faces: 0.5 })).rejects.toMatchObject({
      code: 'model_unavailable',
      message: expect.stringMatching(
        /pull yunet \(licence: MIT\).*pull restoreformer-plus-plus \(licence: Apache-2.0\)/,
      ),
    });
  });

  test('are restored by the model that is named, and a name that is none is refused under `face_model`', async () => {
    const models = [...faceModels(1), tinyFaceRestorer({ gain: 1.6 })];
    const picture = withFace(chequer);
    const named = await perform(picture, { ...alone, faces: 1, face_model: 'tiny-face-1.6' }, models);
    expect(named.data).not.toEqual(picture.data);
    await expect(chosenModels(imageRestoration, { faces: 1, face_model: 'ghost' }, models)).rejects.toMatchObject({
      code: 'invalid_input',
      details: { param: 'face_model' },
    });
  });
});

describe('a device that gives no numbers', () => {
  test('has its faces and colours made again on the CPU', async () => {
    const broken = [tinyFaceRestorer({ gain: Number.NaN }), tinyColouriser({ a: Number.NaN })];
    const renamed = broken.map((tiny, index) => ({ ...tiny, entry: { ...tiny.entry, id: `broken-${index}` } }));
    const own = [detector, ...renamed.map(({ entry, bytes }) => ({ entry, bytes }))];
    const params = { ...alone, faces: 1, colorize: 1 };
    await expect(perform(withFace(), params, own)).rejects.toMatchObject({ code: 'internal' });

    const good = await openWorkbench({
      own: [tinyFaceRestorer(), tinyColouriser()],
      models: { 'face-restoration': 'tiny-face-1', colorization: 'tiny-ddcolor-0-0' },
      input: async () => '',
    });
    try {
      const { chosen } = await perform(withFace(), params, own, { onCpu: (task) => good.model(task) });
      expect([chosen.faces?.amount, chosen.colorize?.amount]).toEqual([1, 1]);
    } finally {
      await good.close();
    }
  });
});

describe('models that were added by their owner', () => {
  test('find and restore faces, and give colours', async () => {
    const [folder, elsewhere] = [await tempFolder(), await tempFolder()];
    const program = readLockfile(lockfilePath);
    const own: TinyModel[] = [];
    for (const { entry, bytes } of [detector, tinyFaceRestorer(), tinyColouriser({ a: 20, b: 30 })]) {
      const file = join(elsewhere, `my ${entry.id}.onnx`);
      await writeFile(file, bytes);
      const { family, constants } = entry;
      const mine = { file, family, constants, parts: {}, isNonCommercial: false };
      own.push({ entry: await addModel(mine, program, folder), bytes });
    }
    expect(await chosenModels(imageRestoration, { faces: 1, colorize: 1 }, own)).toMatchObject({
      'face-detection': 'my-tiny-yunet',
      'face-restoration': 'my-tiny-face-1',
      colorization: 'my-tiny-ddcolor-20-30',
    });
    const { chosen } = await perform(withFace(), { ...alone, faces: 1, colorize: 1 }, own);
    expect([chosen.faces?.amount, chosen.colorize?.amount]).toEqual([1, 1]);
  });
});

describe('a real portrait beside the repository', () => {
  const weights = sharedFiles('weights/face', 'yunet_n_dynamic.onnx')[0];
  const portrait = sharedFiles('images/cc0', 'astronaut.png')[0];
  test.skipIf(!weights || !portrait)(
    'has its face found, judged and changed, and nothing beside it (needs ../shared)',
    async () => {
      const bytes = await readFile(weights as string);
      const file = { ...detector.entry.files[0], bytes: bytes.length, sha256: sha256Of(bytes) };
      const real = { entry: { ...detector.entry, files: [file] } as ModelEntry, bytes };
      const own = [real, tinyFaceRestorer({ gain: 1.3, size: 256 })];
      const { data: samples } = await sharp(portrait as string)
        .raw()
        .toBuffer({ resolveWithObject: true });
      const picture: Pixels = { data: new Uint8Array(samples), width: 512, height: 512, channels: 3 };
      const blurred = {
        ...picture,
        data: new Uint8Array(await sharp(samples, rawOf(picture)).blur(1.6).raw().toBuffer()),
      };

      const sharpOne = await perform(picture, { ...alone, faces: 'auto' }, own);
      expect(sharpOne.chosen.faces).toEqual({ amount: 0, reason: 'a face 91 pixels wide: nothing wrong with it' });
      const soft = await perform(blurred, { ...alone, faces: 'auto' }, own);
      expect(soft.chosen.faces).toEqual({
        amount: 0.7,
        reason: expect.stringMatching(/^a face \d\d pixels wide: the sharpest/),
      });
      const changed = (left: number, top: number, side: number) => {
        let sum = 0;
        for (let at = 0; at < side * side; at++) {
          const from = 3 * ((top + Math.floor(at / side)) * 512 + left + (at % side));
          sum += Math.abs((soft.data[from] ?? 0) - (blurred.data[from] ?? 0));
        }
        return sum / side ** 2;
      };
      expect(changed(190, 80, 70)).toBeGreaterThan(1);
      expect(changed(330, 20, 150)).toBe(0);
      expect(changed(100, 300, 200)).toBe(0);
    },
  );
});

function rawOf({ width, height }: Pixels) {
  return { raw: { width, height, channels: 3 as const } };
}

function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

describe('colorize', () => {
  const grey = paint(size, 3, (x, y) => {
    const level = 60 + (x + y) / 5;
    return [level, level, level];
  });

  test('with a model that gives no colours leaves a grey picture as it is, within one level', async () => {
    const { data, chosen } = await perform(grey, { ...alone, colorize: 1 }, [tinyColouriser()]);
    expect(data.reduce((most, value, at) => Math.max(most, Math.abs(value - (grey.data[at] ?? 0))), 0)).toBeLessThan(2);
    expect(chosen.colorize).toEqual({ amount: 1, reason: 'as asked' });
  });

  test('gives a grey picture colours by auto, and leaves one alone that has some', async () => {
    const own = [tinyColouriser({ a: 20, b: 30 })];
    const first = await perform(grey, { ...alone, colorize: 'auto' }, own);
    expect(first.chosen.colorize).toEqual({ amount: 1, reason: 'its colours are up to 0.0 from grey: it has none' });
    const at = 3 * (128 * 320 + 160);
    expect((first.data[at] ?? 0) - (first.data[at + 2] ?? 0)).toBeGreaterThan(40);
    const second = await perform(withFace(), { ...alone, colorize: 'auto' }, own);
    expect(second.chosen.colorize).toMatchObject({ amount: 0, reason: expect.stringMatching(/: it has some$/) });
    expect(second.data).toEqual(withFace().data);
  });

  test('by auto says which model is missing; a strength refuses, with what to pull and its licence', async () => {
    const { chosen, data } = await perform(grey, { auto: true, ...alone, exposure: 0 }, []);
    expect(chosen.colorize).toEqual({ amount: 0, reason: expect.stringContaining('models pull ddcolor') });
    expect(data).toEqual(grey.data);
    await expect(chosenModels(imageRestoration, { colorize: 0.5 })).rejects.toThrow(
      'models pull ddcolor (licence: Apache-2.0)',
    );
  });

  test('takes the model that is named', async () => {
    const own = [tinyColouriser(), tinyColouriser({ a: 20, b: 30 })];
    const { data } = await perform(grey, { ...alone, colorize: 1, colorize_model: 'tiny-ddcolor-20-30' }, own);
    expect((data[0] ?? 0) - (data[2] ?? 0)).toBeGreaterThan(20);
    await expect(chosenModels(imageRestoration, { colorize: 1, colorize_model: 'x' }, own)).rejects.toMatchObject({
      details: { param: 'colorize_model' },
    });
  });

  test('comes after the faces, keeps transparency, and goes by rows', async () => {
    const tall = noise({ width: 40, height: 900 }, 4);
    const { data } = await perform(tall, { ...alone, colorize: 1 }, [tinyColouriser()]);
    expect(data.filter((_, at) => at % 4 === 3)).toEqual(tall.data.filter((_, at) => at % 4 === 3));
    const rows = bench?.stages ?? [];
    expect(rows).toContain('compose');
  });
});
