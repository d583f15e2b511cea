import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterEach, describe, expect, test } from 'vitest';
import type { Pixels, Size } from '#src/engine/media/media.js';
import { backgroundRemoval } from '#src/engine/operations/background-removal.js';
import type { Verdict } from '#src/engine/folders/verdict.js';
import { modelNeeds, parseParams } from '#src/engine/operations/index.js';
import type { Operation } from '#src/engine/operations/operation.js';
import { type ModelEntry, readLockfile } from '#src/models/lockfile.js';
import { lockfilePath } from '#src/models/files/weights.js';
import { paint } from '../../../helpers/pictures.js';
import { markColour, tinyFaceDetector } from '../../../helpers/tiny-faces.js';
import { tinyCutout, type TinyModel } from '../../../helpers/tiny-models.js';
import { chosenModels, openWorkbench, type TestBench } from '../../../helpers/workbench.js';
import { unzip } from '../../../helpers/zip.js';

const size = { width: 240, height: 320 };
const [blue, wall] = [
  [35, 60, 130],
  [225, 215, 200],
] as const;

/** A blue box on a pale wall: 120 wide from 60, 160 high from 80; a smaller one stands to its right. */
function isBox(x: number, y: number): boolean {
  return (x >= 60 && x < 180 && y >= 80 && y < 240) || (x >= 204 && x < 232 && y >= 200 && y < 240);
}

const photograph = paint(size, 3, (x, y) => {
  const grain = 4 * Math.sin(x * 1.3) * Math.sin(y * 1.7);
  return (isBox(x, y) ? blue : wall).map((value) => value + grain);
});

/** White where the box is, grey for four pixels around its edges, black elsewhere. */
const trimap = paint(size, 3, (x, y) => {
  const near = [-4, 0, 4].flatMap((dy) => [-4, 0, 4].map((dx) => isBox(x + dx, y + dy)));
  const level = near.every(Boolean) ? 255 : near.some(Boolean) ? 128 : 0;
  return [level, level, level];
});

let bench: TestBench | undefined;
afterEach(async () => {
  await bench?.close();
  bench = undefined;
});

interface Made extends Pixels {
  format: string;
  path: string;
  warnings: string[];
  facts: Record<string, unknown> & { quality: Verdict };
  modelActual: string | undefined;
}

/** What becomes of the box, always with its trimap, so that no network has a say in it. */
async function cutOut(params: object, others: Record<string, Pixels> = { trimap }): Promise<Made> {
  const opened = await openWorkbench({
    model: 'cutout',
    input: (folder) => save(photograph, join(folder, 'image.png')),
    async inputs(folder) {
      const saved = Object.entries(others).map(async ([field, picture]) => [
        field,
        [await save(picture, join(folder, field))],
      ]);
      return Object.fromEntries(await Promise.all(saved)) as Record<string, string[]>;
    },
  });
  bench = opened;
  const outcome = await backgroundRemoval.perform(opened, parseParams(backgroundRemoval, { ...params }).params);
  const [output] = outcome.outputs;
  if (!output) throw new Error('Nothing was made');
  const { path, format } = output;
  const isZip = format === 'zip';
  const { data, info } = isZip ? { data: new Uint8Array(), info: { ...size, channels: 1 } } : await raw(path);
  const { width, height, channels } = info;
  return {
    ...{ data, width, height, channels: channels as 1 | 3 | 4, format, path },
    ...{ warnings: outcome.warnings, modelActual: outcome.modelActual, facts: outcome.facts as Made['facts'] },
  };
}

async function raw(file: string | Buffer) {
  const { data, info } = await sharp(file).raw().toBuffer({ resolveWithObject: true });
  return { data: new Uint8Array(data), info };
}

async function save({ data, width, height, channels }: Pixels, path: string): Promise<string> {
  await sharp(data, { raw: { width, height, channels } }).png().toFile(path);
  return path;
}

const sizeOf = ({ width, height }: Size) => [width, height];
const at = ({ data, width, channels }: Pixels, x: number, y: number) => {
  const start = (y * width + x) * channels;
  return [...data.subarray(start, start + channels)];
};
const isNear = (found: number[], expected: readonly number[], most = 8) =>
  expected.every((value, channel) => Math.abs((found[channel] as number) - value) <= most);

describe('background-removal with a trimap', () => {
  test('keeps exactly what the trimap keeps, and says that no model was needed', async () => {
    const made = await cutOut({});
    expect([at(made, 120, 160)[3], at(made, 20, 20)[3], at(made, 218, 220)[3]]).toEqual([255, 0, 255]);
    expect(made.modelActual).toBe('trimap');
    expect(made.facts.matting).toMatchObject({ width: 240, height: 320 });
    expect(bench?.stages).not.toContain('load');
    // The edge itself was found: half a pixel to each side.
    expect([at(made, 62, 160)[3], at(made, 57, 160)[3]]).toEqual([255, 0]);
  });

  test('refuses one of another size or one that says nothing', async () => {
    const small = paint({ width: 10, height: 10 }, 3, () => [255, 255, 255]);
    await expect(cutOut({}, { trimap: small })).rejects.toThrow(/`trimap`.*240 × 320, got 10 × 10/);
    await bench?.close();
    const grey = paint(size, 3, () => [128, 128, 128]);
    await expect(cutOut({}, { trimap: grey })).rejects.toMatchObject({
      code: 'invalid_input',
      details: { param: 'trimap' },
    });
  });
});

describe('the options of background-removal', () => {
  test('only_mask, channels: the mask itself', async () => {
    for (const params of [{ only_mask: true }, { channels: 'alpha' }]) {
      const made = await cutOut(params);
      expect([sizeOf(made), (await sharp(made.path).metadata()).hasAlpha]).toEqual([[240, 320], false]);
      expect([at(made, 120, 160)[0], at(made, 20, 20)[0]]).toEqual([255, 0]);
      await bench?.close();
    }
    const placed = await cutOut({ only_mask: true, crop: true, bg_color: 'red', size: '64x64' });
    expect([sizeOf(placed), at(placed, 32, 5)[0], at(placed, 60, 3)[0]]).toEqual([[64, 64], 255, 0]);
  });

  test('roi: what lies outside is removed', async () => {
    const made = await cutOut({ roi: '0% 0% 80% 100%' });
    expect([at(made, 120, 160)[3], at(made, 218, 220)[3]]).toEqual([255, 0]);
  });

  test('alpha_matting with its thresholds, erosion and size: what the network leaves open is solved', async () => {
    const made = await cutOut({ alpha_matting: true, alpha_matting_erode_size: 12, alpha_matting_max_size: 160 }, {});
    expect(made.facts.matting).toMatchObject({ width: 120, height: 160 });
    const open = (made.facts.matting as { unknown: number }).unknown;
    expect(open).toBeGreaterThan(100);
    expect([at(made, 120, 160)[3], at(made, 20, 20)[3]]).toEqual([255, 0]);
    await bench?.close();
    const strict = { alpha_matting_foreground_threshold: 255, alpha_matting_background_threshold: 0 };
    const nothingSure = await cutOut({ alpha_matting: true, ...strict }, {});
    expect(nothingSure.warnings).toContainEqual(expect.stringContaining('Matting was left out'));
  });

  test('post_process_mask with speck_size: small parts go', async () => {
    const made = await cutOut({ post_process_mask: true, speck_size: 10 });
    expect([at(made, 120, 160)[3], at(made, 218, 220)[3]]).toEqual([255, 0]);
    await bench?.close();
    expect(at(await cutOut({ post_process_mask: true, speck_size: 1 }), 218, 220)[3]).toBe(255);
  });

  test('crop with crop_margin: nothing but the subject and the room asked for', async () => {
    expect(sizeOf(await cutOut({ crop: true, roi: '0 0 190px 320px' }))).toEqual([120, 160]);
    await bench?.close();
    const made = await cutOut({ crop: true, crop_margin: '10px 20px 30px 40px', roi: '0 0 190px 320px' });
    expect([sizeOf(made), at(made, 40, 10)[3], at(made, 39, 10)[3], at(made, 40, 9)[3]]).toEqual([
      [180, 200],
      255,
      0,
      0,
    ]);
  });

  test('scale and position: how large and where', async () => {
    const made = await cutOut({ scale: '50%', position: '0% 100%', roi: '0 0 190px 320px' });
    expect(made.facts.subject).toEqual({ left: 0, top: 160, width: 120, height: 160 });
    expect(made.facts.foreground).toEqual(made.facts.subject);
    await bench?.close();
    const centred = await cutOut({ position: 'center', roi: '0 0 190px 320px' });
    expect(centred.facts.subject).toEqual({ left: 60, top: 80, width: 120, height: 160 });
  });

  test('padding, size, aspect: the canvas', async () => {
    const box = { roi: '0 0 190px 320px' };
    const found: unknown[] = [];
    for (const params of [
      { crop: true, padding: '20px' },
      { size: '500x400' },
      { size: 'preview' },
      { aspect: 'square' },
      { crop: true, aspect: '4:5' },
      { aspect: 'marketplace', size: '1000x1000' },
    ]) {
      const made = await cutOut({ ...params, ...box });
      const { left, top, width, height } = made.facts.subject as Size & { left: number; top: number };
      found.push([...sizeOf(made), left, top, width, height]);
      await bench?.close();
    }
    expect(found).toEqual([
      [160, 200, 20, 20, 120, 160],
      [500, 400, 100, 0, 300, 400],
      [240, 320, 0, 0, 240, 320],
      [320, 320, 40, 0, 240, 320],
      [128, 160, 4, 0, 120, 160],
      [1000, 1000, 181, 75, 638, 850],
    ]);
    bench = undefined;
  });

  test('aspect marketplace is white all around and has no alpha', async () => {
    const made = await cutOut({ aspect: 'marketplace' });
    expect([made.channels, at(made, 1, 1)]).toEqual([3, [255, 255, 255]]);
  });

  test('an enlarged subject is said to be', async () => {
    const made = await cutOut({ aspect: 'marketplace', size: '1000x1000' });
    expect(made.warnings).toContainEqual(expect.stringContaining('super-resolution'));
  });

  test('bg_color: plain, and half transparent', async () => {
    const made = await cutOut({ bg_color: 'tomato' });
    expect([made.channels, at(made, 5, 5), isNear(at(made, 120, 160), blue)]).toEqual([3, [255, 99, 71], true]);
    await bench?.close();
    expect(at(await cutOut({ bg_color: 'rgba(255, 0, 0, 0.5)' }), 5, 5)).toEqual([255, 0, 0, 128]);
  });

  test('bg_image: it covers the canvas, its middle in the middle', async () => {
    const image = paint({ width: 300, height: 100 }, 3, (x) => (x < 150 ? [0, 200, 0] : [200, 0, 0]));
    const made = await cutOut({ size: '100x100' }, { trimap, bg_image: image });
    expect([made.channels, isNear(at(made, 5, 2), [0, 200, 0]), isNear(at(made, 95, 2), [200, 0, 0])]).toEqual([
      3,
      true,
      true,
    ]);
    expect(isNear(at(made, 50, 50), blue)).toBe(true);
  });

  test('backdrop gradient with bg_color_to and bg_angle, and studio', async () => {
    const made = await cutOut({ backdrop: 'gradient', bg_color: 'black', bg_color_to: 'white', bg_angle: 90 });
    expect([at(made, 2, 5)[0] as number, at(made, 237, 5)[0] as number].map((value) => Math.round(value / 50))).toEqual(
      [0, 5],
    );
    await bench?.close();
    const studio = await cutOut({ backdrop: 'studio' });
    expect(at(studio, 2, 2).every((value) => value > 200 && value < 246)).toBe(true);
  });

  test('shadow with its opacity, blur, angle, distance and colour', async () => {
    const dark = async (params: object) => {
      const made = await cutOut({ bg_color: 'white', ...params });
      await bench?.close();
      bench = undefined;
      return { below: 255 - (at(made, 120, 246)[0] as number), right: 255 - (at(made, 186, 160)[0] as number), made };
    };
    const drop = await dark({ shadow: 'drop', shadow_distance: 6 });
    expect(drop.below).toBeGreaterThan(30);
    expect((await dark({ shadow: 'drop', shadow_distance: 6, shadow_opacity: 20 })).below).toBeLessThan(drop.below / 2);
    expect((await dark({ shadow: 'drop', shadow_distance: 6, shadow_angle: 90 })).right).toBeGreaterThan(
      drop.right + 20,
    );
    expect((await dark({ shadow: 'drop', shadow_distance: 6, shadow_blur: 0 })).below).toBeGreaterThan(drop.below);
    expect(255 - (at((await dark({ shadow: 'contact' })).made, 120, 241)[0] as number)).toBeGreaterThan(20);
    expect((await dark({ shadow: 'soft', shadow_distance: 6 })).below).toBeGreaterThan(10);
    const red = (await dark({ shadow: 'drop', shadow_distance: 6, shadow_color: 'red' })).made;
    expect(at(red, 120, 246)[0]).toBe(255);
    expect(at(red, 120, 246)[1]).toBeLessThan(230);
  });

  test('a shadow on nothing is transparent, and is not cut off where the canvas is cropped', async () => {
    const made = await cutOut({ shadow: 'drop', crop: true, roi: '0 0 190px 320px' });
    const { left, top, width, height } = made.facts.subject as Size & { left: number; top: number };
    expect(made.height).toBeGreaterThan(height + 10);
    const [, , , below] = at(made, left + width / 2, top + height + 4);
    expect(below).toBeGreaterThan(20);
    expect(below).toBeLessThan(128);
    expect(at(made, left + 60, made.height - 1)[3]).toBeLessThan(10);
  });

  test('format jpg says that it has no transparency, unless something is behind', async () => {
    const made = await cutOut({ format: 'jpg' });
    expect([made.format, isNear(at(made, 5, 5), [255, 255, 255], 2), made.warnings]).toEqual([
      'jpg',
      true,
      [expect.stringContaining('put on white')],
    ]);
    await bench?.close();
    expect((await cutOut({ format: 'jpg', bg_color: 'navy' })).warnings).toEqual([]);
  });

  test('format zip: colour whole to the edges, alpha apart, and the background if there is one', async () => {
    const made = await cutOut({ format: 'zip', dpi: 300 });
    const files = unzip(readFileSync(made.path));
    expect(Object.keys(files)).toEqual(['color.jpg', 'alpha.png']);
    const colour = await raw(files['color.jpg'] as Buffer);
    const picture: Pixels = { data: colour.data, ...size, channels: 3 };
    expect([isNear(at(picture, 20, 160), blue, 14), isNear(at(picture, 120, 160), blue, 14)]).toEqual([true, true]);
    expect((await sharp(files['alpha.png']).metadata()).channels).toBe(1);
    expect((await sharp(files['color.jpg']).metadata()).density).toBe(300);
    await bench?.close();
    const placed = unzip(
      readFileSync((await cutOut({ format: 'zip', shadow: 'soft', size: '200x200', crop: true })).path),
    );
    expect(Object.keys(placed)).toEqual(['color.jpg', 'alpha.png', 'background.png']);
    for (const file of Object.values(placed))
      expect(await sharp(file).metadata()).toMatchObject({ width: 200, height: 200 });
    const background = await raw(placed['background.png'] as Buffer);
    expect(Math.max(...background.data.filter((_, index) => index % 4 === 3))).toBeGreaterThan(80);
  });

  test('quality and dpi reach the file', async () => {
    const low = readFileSync((await cutOut({ format: 'jpg', quality: 10, dpi: 150 })).path);
    await bench?.close();
    const high = readFileSync((await cutOut({ format: 'jpg', quality: 98 })).path);
    expect(low.length).toBeLessThan(high.length);
    expect((await sharp(low).metadata()).density).toBe(150);
  });

  test('icc keep: the numbers and the profile of the picture, its backdrop in the same; srgb otherwise', async () => {
    const opened = await openWorkbench({
      model: 'cutout',
      async input(folder) {
        const path = join(folder, 'p3.png');
        await sharp(photograph.data, { raw: { ...size, channels: 3 } })
          .withIccProfile('p3')
          .png()
          .toFile(path);
        return path;
      },
      inputs: async (folder) => ({ trimap: [await save(trimap, join(folder, 'trimap'))] }),
    });
    bench = opened;
    const make = async (params: object) => {
      const { outputs, warnings } = await backgroundRemoval.perform(
        opened,
        parseParams(backgroundRemoval, { ...params }).params,
      );
      return { path: outputs[0]?.path as string, warnings };
    };
    const before = await sharp(opened.input('image'), { ignoreIcc: true }).raw().toBuffer();
    const kept = await make({ icc: 'keep', bg_color: 'red' });
    const { icc } = await sharp(kept.path).metadata();
    expect(icc?.equals((await sharp(opened.input('image')).metadata()).icc as Buffer)).toBe(true);
    const after: Pixels = { data: await sharp(kept.path, { ignoreIcc: true }).raw().toBuffer(), ...size, channels: 3 };
    expect(at(after, 120, 160)).toEqual(at({ ...photograph, data: before }, 120, 160));
    expect(isNear(at(after, 5, 5), [234, 51, 35], 3)).toBe(true);
    const srgb = await make({});
    expect((await sharp(srgb.path).metadata()).hasProfile).toBe(false);
    const found = await sharp(srgb.path).raw().toBuffer();
    expect(isNear([...found.subarray(4 * (160 * 240 + 120))], at(photograph, 120, 160), 3)).toBe(true);
  });

  test('icc keep says when there is no profile to keep', async () => {
    expect((await cutOut({ icc: 'keep' })).warnings).toContainEqual(expect.stringContaining('no RGB profile'));
  });

  test('a canvas of too many pixels is refused', async () => {
    await expect(cutOut({ size: '16384x16384' })).rejects.toMatchObject({
      code: 'too_large',
      details: { param: 'size' },
    });
  });
});

describe('the model auto of background-removal', () => {
  test('leaves a picture that is cut out already its own alpha', async () => {
    const already = paint(size, 4, (x, y) => [...blue, isBox(x, y) ? 200 : 0]);
    const opened = await openWorkbench({
      model: 'cutout',
      input: (folder) => save(already, join(folder, 'image.png')),
    });
    bench = opened;
    const outcome = await backgroundRemoval.perform(opened, parseParams(backgroundRemoval, {}).params);
    const { data } = await raw(outcome.outputs[0]?.path as string);
    expect([outcome.modelActual, data[4 * (160 * 240 + 120) + 3], data[3]]).toEqual(['own-alpha', 200, 0]);
  });
});

describe('the model for what is in the picture', () => {
  const drawn = paint(size, 3, (x, y) => (isBox(x, y) ? [200, 40, 40] : [240, 200, 80]));
  /** The photograph with somebody in it, for the tiny detector: a face that is 158 pixels wide, or in a larger picture. */
  const someone = paint(size, 3, (x, y) => {
    const at = 3 * (y * size.width + x);
    return x >= 96 && x < 128 && y >= 96 && y < 128 ? markColour : [...photograph.data.slice(at, at + 3)];
  });
  const detector = tinyFaceDetector();
  const forPeople: TinyModel = { ...tinyCutout(), entry: { ...tinyCutout().entry, suits: ['person'] } };

  async function cutBy(picture: Pixels, own: readonly TinyModel[], more: Record<string, string> = {}) {
    const opened = await openWorkbench({
      own,
      models: { ...(await chosenModels(backgroundRemoval as Operation, {}, own)), ...more },
      input: (folder) => save(picture, join(folder, 'image.png')),
    });
    bench = opened;
    const { facts, modelActual } = await backgroundRemoval.perform(opened, parseParams(backgroundRemoval, {}).params);
    await opened.close();
    bench = undefined;
    return { content: facts.content, reason: facts.contentReason, modelActual };
  }

  test('is that for drawings for a drawing, when one is installed, and it is said', async () => {
    const more = { drawing: 'cutout' };
    expect(await cutBy(drawn, [], more)).toMatchObject({ content: 'drawing', reason: expect.any(String) });
    expect(await cutBy(photograph, [], more)).toMatchObject({ content: 'photograph' });
  });

  test('is that for people where there is a face, when one is installed, and it is said', async () => {
    const own = [detector, forPeople];
    expect(await cutBy(someone, own)).toEqual({
      content: 'person',
      reason: expect.stringMatching(/^a face \d\d % as wide as the picture is long$/),
      modelActual: forPeople.entry.id,
    });
    expect(await cutBy(photograph, own)).toEqual({
      content: 'photograph',
      reason: 'no face to speak of',
      modelActual: 'cutout',
    });
  });

  test('is the general one where nothing tells people, or no model is made for them', async () => {
    const general = { content: undefined, reason: undefined, modelActual: 'cutout' };
    expect(await cutBy(someone, [forPeople])).toEqual(general);
    expect(await cutBy(someone, [detector])).toEqual(general);
  });

  test('is asked for beside the general one, unless a model is named', () => {
    const needs = (model: string) => modelNeeds(backgroundRemoval as Operation, { model });
    const { models } = readLockfile(lockfilePath);
    const entry: ModelEntry = { ...(models[0] as ModelEntry), suits: ['drawing'] };
    const fits = needs('auto').map((need) => [need.slot ?? need.task, need.optional ?? false, need.misfit?.(entry)]);
    expect(fits).toEqual([
      ['background-removal', false, 'it is made for drawing, not for photograph'],
      ['drawing', true, null],
      ['person', true, 'it is made for drawing, not for person'],
      ['face-detection', true, undefined],
    ]);
    expect(needs('u2net')).toEqual([{ task: 'background-removal', wanted: 'u2net' }]);
  });

  test('is for people, of those in the lock file, one that is made for them or a great general one', () => {
    const { models, preferred } = readLockfile(lockfilePath);
    const suitable = (slot: string) => {
      const need = modelNeeds(backgroundRemoval as Operation, { model: 'auto' }).find((each) => each.slot === slot);
      const ids = preferred['background-removal'] ?? [];
      return ids.filter((id) => need?.misfit?.(models.find((each) => each.id === id) as ModelEntry) === null);
    };
    expect(suitable('person').slice(0, 2)).toEqual(['birefnet-portrait', 'birefnet-general']);
    expect(suitable('person')).toContain('modnet');
    expect(suitable('person')).not.toContain('cutout');
  });
});

describe('the verdict of background-removal', () => {
  test('says how much is kept, where, and that nothing is to be looked at', async () => {
    const { quality } = (await cutOut({})).facts;
    const share = (120 * 160 + 28 * 40) / (240 * 320);
    expect(quality.coverage).toBeCloseTo(share, 2);
    expect(quality).toMatchObject({ touches_edge: false, holes: 0, warnings: [] });
    expect(quality.edge_softness).toBeLessThan(2);
    expect(quality.halo).toBeLessThan(0.1);
    expect(quality.confidence).toBeGreaterThan(0.9);
  });

  test('names what someone should look at', async () => {
    const touching = paint(size, 3, (x, y) => (y > 100 && x > 60 && x < 180 ? [255, 255, 255] : [0, 0, 0]));
    const { quality } = (await cutOut({}, { trimap: touching })).facts;
    expect(quality).toMatchObject({ touches_edge: true, warnings: [expect.stringContaining('bottom')] });
    await bench?.close();
    const nothing = (await cutOut({ roi: '0 0 10px 10px' })).facts.quality;
    expect(nothing).toMatchObject({
      coverage: 0,
      confidence: 0,
      warnings: [expect.stringContaining('Nothing was found')],
    });
  });
});
