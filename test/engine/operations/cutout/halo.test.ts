import { join } from 'node:path';
import sharp from 'sharp';
import { afterEach, describe, expect, test } from 'vitest';
import type { Pixels } from '#src/engine/media/media.js';
import { backgroundRemoval } from '#src/engine/operations/background-removal.js';
import { parseParams } from '#src/engine/operations/index.js';
import type { Verdict } from '#src/engine/folders/verdict.js';
import { onBackground, paint } from '../../../helpers/pictures.js';
import { sharedFiles } from '../../../helpers/shared.js';
import { openWorkbench, type TestBench } from '../../../helpers/workbench.js';

let bench: TestBench | undefined;
afterEach(() => bench?.close());

/** A cut-out whose colours and alpha are known, photographed before a background that contrasts with it. */
interface Known {
  truth: Pixels;
  photograph: Pixels;
}

const size = { width: 300, height: 240 };

/** A reddish, textured disc whose edge fades over 12 pixels, before green. */
function disc(): Known {
  const truth = paint(size, 4, (x, y) => {
    const alpha = Math.min(1, Math.max(0, (90 - Math.hypot(x - 150, y - 120)) / 12));
    return [190 + 30 * Math.sin(x / 9), 70 + 20 * Math.cos(y / 7), 90, 255 * alpha];
  });
  return { truth, photograph: onBackground(truth, [30, 190, 60]) };
}

/** The photographed lemur, whose colours and alpha were measured, before the same green. */
async function lemur(files: string[]): Promise<Known> {
  const read = async (name: string, space: 'srgb' | 'b-w') => {
    const image = sharp(files.find((file) => file.endsWith(name))).removeAlpha();
    return image.resize(340, 220).toColourspace(space).raw().toBuffer();
  };
  const [colours, alpha] = [await read('_foreground.png', 'srgb'), await read('_alpha.png', 'b-w')];
  const truth = paint({ width: 340, height: 220 }, 4, (x, y) => {
    const at = y * 340 + x;
    return [...colours.subarray(3 * at, 3 * at + 3), alpha[at] as number];
  });
  return { truth, photograph: onBackground(truth, [30, 190, 60]) };
}

/** The cut-out that is made when the trimap leaves open just what is soft. */
async function cutOut(
  { truth, photograph }: Known,
  decontaminate: boolean,
): Promise<{ result: Pixels; verdict: Verdict }> {
  const { width, height } = truth;
  const trimap = paint({ width, height }, 3, (x, y) => {
    const alpha = truth.data[4 * (y * width + x) + 3] as number;
    const level = alpha < 3 ? 0 : alpha > 252 ? 255 : 128;
    return [level, level, level];
  });
  const opened = await openWorkbench({
    input: (folder) => save(photograph, join(folder, 'image')),
    inputs: async (folder) => ({ trimap: [await save(trimap, join(folder, 'trimap'))] }),
  });
  bench = opened;
  const { params } = parseParams(backgroundRemoval, { decontaminate });
  const { outputs, facts } = await backgroundRemoval.perform(opened, params);
  const data = new Uint8Array(await sharp(outputs[0]?.path).raw().toBuffer());
  await opened.close();
  bench = undefined;
  return { result: { data, width, height, channels: 4 }, verdict: facts.quality as Verdict };
}

async function save({ data, width, height, channels }: Pixels, path: string): Promise<string> {
  await sharp(data, { raw: { width, height, channels } }).png().toFile(path);
  return path;
}

/** Mean error of the colours (0..255) at soft edges, weighted with the alpha under which they show. */
function colourError(result: Pixels, truth: Pixels): number {
  let [sum, weight] = [0, 0];
  for (let at = 0; at < truth.data.length; at += 4) {
    const alpha = truth.data[at + 3] as number;
    if (alpha < 13 || alpha > 242) continue;
    for (let channel = 0; channel < 3; channel++) {
      sum += (Math.abs((result.data[at + channel] as number) - (truth.data[at + channel] as number)) * alpha) / 3;
    }
    weight += alpha;
  }
  return sum / weight;
}

/** Mean difference at soft edges from the true cut-out when both lie on this background. */
function errorOn(background: readonly [number, number, number], result: Pixels, truth: Pixels): number {
  const [found, expected] = [onBackground(result, background), onBackground(truth, background)];
  let [sum, count] = [0, 0];
  for (let at = 0; at < expected.data.length; at++) {
    const alpha = truth.data[4 * Math.floor(at / 3) + 3] as number;
    if (alpha < 13 || alpha > 242) continue;
    sum += Math.abs((found.data[at] as number) - (expected.data[at] as number));
    count += 1;
  }
  return sum / count;
}

const backgrounds = { white: [255, 255, 255], black: [0, 0, 0], red: [224, 32, 48] } as const;

describe('decontaminate', () => {
  test('takes the background out of soft edges: no halo on white, black or red', async () => {
    const known = disc();
    const [clean, plain] = [await cutOut(known, true), await cutOut(known, false)];
    expect(colourError(plain.result, known.truth)).toBeGreaterThan(30);
    expect(colourError(clean.result, known.truth)).toBeLessThan(6);
    for (const background of Object.values(backgrounds)) {
      const left = errorOn(background, clean.result, known.truth);
      expect(left).toBeLessThan(8);
      expect(left).toBeLessThan(errorOn(background, plain.result, known.truth) / 2);
    }
  });

  test('is seen by the verdict', async () => {
    const [clean, plain] = [await cutOut(disc(), true), await cutOut(disc(), false)];
    expect(clean.verdict.halo).toBeLessThan(0.1);
    expect(plain.verdict.halo).toBeGreaterThan(0.25);
    expect(plain.verdict.warnings).toContainEqual(expect.stringContaining('colour shows along the edges'));
  });

  test('leaves a fifth and less of the background in fur', async (context) => {
    const files = sharedFiles('images/matting', '.png');
    if (files.length === 0) return context.skip('needs ../shared/images/matting');
    const known = await lemur(files);
    const [clean, plain] = [await cutOut(known, true), await cutOut(known, false)];
    expect(colourError(clean.result, known.truth)).toBeLessThan(colourError(plain.result, known.truth) / 5);
  });
});
