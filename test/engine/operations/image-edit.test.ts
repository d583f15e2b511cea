import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterEach, describe, expect, test } from 'vitest';
import type { Pixels } from '#src/engine/media/media.js';
import { imageEdit } from '#src/engine/operations/image-edit.js';
import { modelNeeds, parseParams } from '#src/engine/operations/index.js';
import { paint } from '../../helpers/pictures.js';
import { chosenModels, openWorkbench, type TestBench } from '../../helpers/workbench.js';

let bench: TestBench | undefined;
afterEach(async () => {
  await bench?.close();
  bench = undefined;
});

const size = { width: 120, height: 90 };
const wall = paint(size, 3, (x, y) => [120 + (x % 9) * 4, 110 + (y % 7) * 3, 100]);
const hole = (x: number, y: number) => x >= 50 && x < 70 && y >= 40 && y < 52;
const mask = paint(size, 3, (x, y) => (hole(x, y) ? [255, 255, 255] : [0, 0, 0]));

function asPng({ data, width, height, channels }: Pixels): Promise<Buffer> {
  return sharp(data, { raw: { width, height, channels } }).png().toBuffer();
}

async function edit(params: Record<string, unknown>, pictures: Record<string, Pixels> = {}) {
  const save = async (folder: string, name: string, picture: Pixels) => {
    await writeFile(join(folder, name), await asPng(picture));
    return join(folder, name);
  };
  const opened = await openWorkbench({
    models: await chosenModels(imageEdit, params),
    input: (folder) => save(folder, 'image', pictures.image ?? wall),
    inputs: async (folder) => {
      const others = Object.entries(pictures).filter(([name]) => name !== 'image');
      return Object.fromEntries(
        await Promise.all(others.map(async ([name, each]) => [name, [await save(folder, name, each)]])),
      );
    },
  });
  bench = opened;
  const outcome = await imageEdit.perform(opened, parseParams(imageEdit, params).params);
  const { data, info } = await sharp(outcome.outputs[0]?.path).raw().toBuffer({ resolveWithObject: true });
  return { ...outcome, data: new Uint8Array(data), info };
}

describe('image-edit', () => {
  test('fills what the mask marks and leaves every other pixel as it was', async () => {
    const object = paint(size, 3, (x, y) =>
      hole(x, y) ? [255, 0, 0] : [...wall.data.slice(3 * (y * 120 + x), 3 * (y * 120 + x) + 3)],
    );
    const { data, warnings, facts, modelActual } = await edit(
      { prompt: 'remove the object', mask_dilate: 0 },
      { image: object, mask },
    );
    let red = 0;
    for (let at = 0; at < data.length; at += 3) {
      const [x, y] = [(at / 3) % 120, Math.floor(at / 3 / 120)];
      if (!hole(x, y)) expect([...data.slice(at, at + 3)]).toEqual([...object.data.slice(at, at + 3)]);
      else if ((data[at] as number) > 220 && (data[at + 1] as number) < 60) red += 1;
    }
    expect(red).toBe(0);
    expect({ warnings, modelActual }).toEqual({ warnings: [], modelActual: 'local-edit' });
    expect(facts.done).toEqual(['erase']);
  });

  test('grows the mask, and mixes over its border, only as far as it says', async () => {
    const { data } = await edit({ prompt: 'erase', mask_dilate: 3, mask_feather: 2 }, { mask });
    let changed = 0;
    for (let at = 0; at < data.length; at += 3) {
      if (data[at] === wall.data[at] && data[at + 1] === wall.data[at + 1]) continue;
      const [x, y] = [(at / 3) % 120, Math.floor(at / 3 / 120)];
      expect(x >= 50 - 5 && x < 70 + 5 && y >= 40 - 5 && y < 52 + 5).toBe(true);
      changed += 1;
    }
    expect(changed).toBeGreaterThan(0);
  });

  test('refuses a mask of another size, with both sizes', async () => {
    const other = paint({ width: 60, height: 90 }, 3, () => [255, 255, 255]);
    await expect(edit({}, { mask: other })).rejects.toMatchObject({
      code: 'invalid_input',
      details: { param: 'mask' },
      message: expect.stringMatching(/120 × 90, got 60 × 90/),
    });
  });

  test.each([
    [{ outpaint_direction: 'all' }, 180, 136, 30, 23],
    [{ outpaint_direction: 'left', outpaint_amount: 50 }, 180, 90, 60, 0],
    [{ outpaint_direction: 'down,right', outpaint_amount: 10 }, 132, 99, 0, 0],
    [{ size: '160x90' }, 160, 90, 20, 0],
    [{ size: '160x120', outpaint_direction: 'right' }, 160, 120, 0, 15],
  ])('goes on beyond the borders: %j', async (params, width, height, left, top) => {
    const { data, info, facts } = await edit(params);
    expect(info).toMatchObject({ width, height });
    expect(facts.done).toEqual(['outpaint']);
    for (let y = 0; y < 90; y++) {
      const from = 3 * ((y + top) * width + left);
      expect(data.slice(from, from + 360)).toEqual(wall.data.slice(3 * y * 120, 3 * (y + 1) * 120));
    }
  });

  test('fits a picture into a smaller size', async () => {
    const { info } = await edit({ size: '60x60', prompt: 'brighter' });
    expect(info).toMatchObject({ width: 60, height: 45 });
  });

  test('takes over the colours of a reference', async () => {
    const blue = paint(size, 3, (x, y) => [20 + (x % 20), 40 + (y % 20), 200]);
    const { data, facts } = await edit({}, { style_reference: blue });
    const mean = (channel: number) =>
      data.filter((_, at) => at % 3 === channel).reduce((a, b) => a + b, 0) / (120 * 90);
    expect(mean(2)).toBeGreaterThan(mean(0) + 40);
    expect(facts.done).toEqual(['style']);
  });

  test.each([
    ['brighter', (before: number, after: number) => after > before + 5],
    ['make it darker', (before: number, after: number) => after < before - 5],
  ])('changes the light: %s', async (prompt, holds) => {
    const { data, facts } = await edit({ prompt });
    const mean = (samples: Uint8Array) => samples.reduce((a, b) => a + b, 0) / samples.length;
    expect(holds(mean(wall.data), mean(data))).toBe(true);
    expect(facts.done).toEqual(['light']);
  });

  test('says what it did not understand, and never pretends', async () => {
    const { warnings, data } = await edit({ prompt: 'put a parrot on it', n: 2 });
    expect(warnings).toEqual([
      'Not understood and not done, since no model that reads prompts is configured: parrot',
      'Nothing was done to the picture',
      'One result instead of 2: this machine would make the same again',
    ]);
    expect(data).toEqual(wall.data);
  });

  test('asks for a mask when something is to be removed', async () => {
    expect((await edit({ prompt: 'remove the watermark' })).warnings[0]).toBe(
      'Something is to be removed, but no `mask` says where',
    );
  });

  test('needs the models of a cut-out only when the background changes', () => {
    const tasks = (prompt: string) => modelNeeds(imageEdit, { prompt }).map(({ task }) => task);
    expect(tasks('brighter')).toEqual(['inpainting']);
    expect(tasks('white background')).toContain('background-removal');
  });

  test('orders the same of a service, each picture in its role', () => {
    const { params } = parseParams(imageEdit, { prompt: 'a hat', size: '512x512', n: 2 });
    const inputs = [{ field: 'image' }, { field: 'image' }, { field: 'mask' }, { field: 'style_reference' }];
    expect(imageEdit.order?.(params, inputs)).toMatchObject({
      kind: 'image',
      prompt: 'a hat',
      size: { width: 512, height: 512 },
      count: 2,
      pictures: [
        { role: 'source', input: 0 },
        { role: 'reference', input: 1 },
        { role: 'mask', input: 2 },
        { role: 'style', input: 3 },
      ],
    });
  });

  test.each([
    [{ size: '8x8' }, 'size', /auto or a size such as 1024x1024, sides from 16 to 16384, got "8x8"/],
    [{ outpaint_direction: 'north' }, 'outpaint_direction', /one of all, left, .*, got "north"/],
    [{ mask_feather: 99 }, 'mask_feather', /a whole number from 0 to 64, got 99/],
    [{ output_format: 'gif' }, 'output_format', /png, jpeg, jpg or webp, got "gif"/],
  ])('refuses %j', (raw, param, message) => {
    expect(() => parseParams(imageEdit, raw)).toThrow(
      expect.objectContaining({ code: 'invalid_input', details: { param }, message: expect.stringMatching(message) }),
    );
  });
});
