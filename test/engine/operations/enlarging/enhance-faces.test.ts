import { join } from 'node:path';
import sharp from 'sharp';
import { afterEach, describe, expect, test } from 'vitest';
import type { Pixels } from '#src/engine/media/media.js';
import { parseParams } from '#src/engine/operations/index.js';
import { superResolution } from '#src/engine/operations/super-resolution.js';
import { paint } from '../../../helpers/pictures.js';
import { markColour, tinyFaceDetector, tinyFaceRestorer } from '../../../helpers/tiny-faces.js';
import type { TinyModel } from '../../../helpers/tiny-models.js';
import { chosenModels, openWorkbench, type TestBench } from '../../../helpers/workbench.js';

let bench: TestBench | undefined;
afterEach(async () => {
  await bench?.close();
  bench = undefined;
});

const models = (gain: number) => [tinyFaceDetector(), tinyFaceRestorer({ gain })];

const size = { width: 160, height: 192 };

/** A face for the tiny detector at 64, 64, and lines on its cheek; transparent at the left when it has four channels. */
function withFace(channels: 3 | 4): Pixels {
  return paint(size, channels, (x, y) => {
    const isMark = x >= 64 && x < 96 && y >= 64 && y < 96;
    const level = x >= 100 && x < 110 && y >= 70 && y < 100 ? 90 + 60 * ((x >> 1) % 2) : 150;
    return [
      ...(isMark ? markColour : [level, level * 0.8, level * 0.7]),
      ...(channels === 4 ? [x < 20 ? 0 : 255] : []),
    ];
  });
}

async function perform(params: Record<string, unknown>, own: readonly TinyModel[], picture = withFace(3)) {
  await bench?.close();
  const opened = await openWorkbench({
    own,
    models: await chosenModels(superResolution, params, own),
    input: async (folder) => {
      const path = join(folder, 'input.png');
      const { data, width, height, channels } = picture;
      await sharp(data, { raw: { width, height, channels } }).png().toFile(path);
      return path;
    },
  });
  bench = opened;
  const outcome = await superResolution.perform(opened, parseParams(superResolution, params).params);
  const { data, info } = await sharp(outcome.outputs[0]?.path).raw().toBuffer({ resolveWithObject: true });
  return { ...outcome, data: new Uint8Array(data), info };
}

const plain = { scale: 2, content: 'photograph' };

describe('face_enhance', () => {
  test.each([[{}], [{ scale: 1.5 }], [{ format: 'png', tile: 64 }]])(
    'with a restorer that returns its input changes nothing: %j',
    async (more) => {
      const without = await perform({ ...plain, ...more }, []);
      const { data, facts, warnings } = await perform({ ...plain, ...more, face_enhance: 1 }, models(1));
      expect(data).toEqual(without.data);
      expect(facts.faces).toEqual({ amount: 1, reason: expect.stringMatching(/^as asked: a face \d+ pixels wide$/) });
      expect(warnings).toEqual([]);
      expect(without.facts).not.toHaveProperty('faces');
    },
  );

  test('restores faces in the enlarged picture, by its strength, and keeps transparency', async () => {
    const clear = withFace(4);
    const [none, half, full] = [
      await perform(plain, [], clear),
      await perform({ ...plain, face_enhance: 0.5 }, models(1.6), clear),
      await perform({ ...plain, face_enhance: 1 }, models(1.6), clear),
    ];
    const change = ({ data }: { data: Uint8Array }) =>
      data.reduce((sum, value, at) => sum + Math.abs(value - (none.data[at] ?? 0)), 0);
    expect(change(half)).toBeGreaterThan(10_000);
    expect(change(full)).toBeGreaterThan(1.5 * change(half));
    const alpha = (data: Uint8Array) => data.filter((_, at) => at % 4 === 3);
    expect(alpha(full.data)).toEqual(alpha(none.data));
  });

  test('by auto restores faces that are small, with some of what the camera saw', async () => {
    const { facts } = await perform({ ...plain, face_enhance: 'auto' }, models(1));
    expect(facts.faces).toEqual({ amount: 0.7, reason: 'a face 317 pixels wide once enlarged' });
  });

  test('by auto says what is missing; a strength refuses, with what to pull and its licence', async () => {
    const { facts } = await perform({ ...plain, face_enhance: 'auto' }, []);
    expect(facts.faces).toEqual({ amount: 0, reason: expect.stringContaining('models pull yunet') });
    await expect(chosenModels(superResolution, { face_enhance: 'true' })).rejects.toMatchObject({
      code: 'model_unavailable',
      message: expect.stringMatching(/pull yunet \(licence: MIT\).*pull restoreformer-plus-plus/),
    });
  });

  test('says that there is no face', async () => {
    const empty = paint(size, 3, () => [120, 130, 140]);
    const { warnings } = await perform({ ...plain, face_enhance: true }, models(1), empty);
    expect(warnings).toEqual(['There is no face that can be restored: `face_enhance` changed nothing']);
  });

  test.each([
    [true, 1],
    ['false', 0],
    ['0.4', 0.4],
    ['auto', 'auto'],
  ])('takes %j for %j', (given, expected) => {
    expect(parseParams(superResolution, { face_enhance: given }).params.face_enhance).toBe(expected);
  });

  test('refuses other values, and models that are none under `face_model`', async () => {
    expect(() => parseParams(superResolution, { face_enhance: 2 })).toThrow(
      'Expected `face_enhance` to be true, false, auto or a number from 0 to 1, got 2',
    );
    await expect(
      chosenModels(superResolution, { face_enhance: 1, face_model: 'ghost' }, models(1)),
    ).rejects.toMatchObject({ code: 'invalid_input', details: { param: 'face_model' } });
  });
});
