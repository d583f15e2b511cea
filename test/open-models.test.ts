import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Pixels } from '#src/engine/media/media.js';
import { tinyEnlarger, tinyLama, tinyModnet, tinyRestorer } from './helpers/listed-models.js';
import { noise, paint } from './helpers/pictures.js';
import { startProgram } from './helpers/program.js';
import { tempFolderOfFile } from './helpers/temp-folder.js';

const cli = resolve(import.meta.dirname, '../dist/cli.js');

let url: string;

/** One model for each task, brought in as users do: added as their own, or imported as one of the list. */
beforeAll(async () => {
  const data = await tempFolderOfFile();
  const bring = async (id: string, bytes: Uint8Array, words: string[]) => {
    const file = join(data, `${id}.onnx`);
    await writeFile(file, bytes);
    const [verb = '', ...others] = words;
    const run = spawn(process.execPath, [cli, 'models', verb, file, ...others], {
      env: { ...process.env, DARKROOM_DATA: data, DARKROOM_MIN_FREE_MB: '0' },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    expect(await once(run, 'close')).toEqual([0, null]);
  };
  await bring('my-lama', tinyLama().bytes, ['add', '--family', 'lama', '--like', 'lama']);
  await bring('my-modnet', tinyModnet().bytes, ['add', '--family', 'modnet', '--like', 'modnet']);
  const large = tinyEnlarger('realesrgan-x2plus').bytes;
  await bring('my-esrgan', large, ['add', '--family', 'rrdbnet', '--like', 'realesrgan-x2plus']);
  await bring('my-nafnet', tinyRestorer('nafnet-deblur').bytes, [
    'add',
    '--family',
    'nafnet',
    '--like',
    'nafnet-deblur',
  ]);
  const denoiser = tinyRestorer('scunet-real-psnr').bytes;
  await bring('scunet', denoiser, ['import', '--as', 'scunet-real-psnr', '--accept-licence']);
  url = await startProgram({ DARKROOM_DATA: data });
});

describe('an open model that was named', () => {
  test('is one of those that can be used', async () => {
    const { data } = (await (await fetch(`${url}/v1/models`)).json()) as { data: Record<string, unknown>[] };
    const own = ['my-lama', 'my-modnet', 'my-esrgan', 'my-nafnet', 'scunet-real-psnr'];
    for (const id of own) {
      expect(data.find((model) => model.id === id)).toMatchObject({ installed: true, available: true, problem: null });
    }
    const listed = data.filter(({ available, problem }) => !available && /family/.test(String(problem)));
    expect(
      listed.filter(({ owned_by }) => /^(lama|migan|modnet|rrdbnet|swinir|scunet|nafnet)$/.test(String(owned_by))),
    ).toEqual([]);
  });

  test('erases', async () => {
    const picture = paint({ width: 200, height: 120 }, 3, (x) => (x < 100 ? [40, 40, 40] : [200, 200, 200]));
    const mask = paint(picture, 3, (x, y) => (x > 20 && x < 40 && y > 40 && y < 60 ? [255, 255, 255] : [0, 0, 0]));
    const result = await ask(
      'edits',
      { image: picture, mask },
      { prompt: 'remove the logo', inpaint_model: 'my-lama' },
    );
    // This one fills with the mean of all that it is shown, the bundled one with what is beside the hole.
    expect(result.at(30, 50)).toBeGreaterThan(80);
    expect(result.at(10, 50)).toBe(40);
  });

  test('takes noise out', async () => {
    const picture = noise({ width: 70, height: 50 }, 3);
    const result = await ask('restore', { image: picture }, { denoise: '1', model: 'scunet-real-psnr' });
    expect(result.headers.get('x-model-actual')).toBe('scunet-real-psnr');
    let sum = 0;
    for (const [x, y] of around(33, 20)) sum += picture.data[3 * (y * 70 + x)] as number;
    expect(Math.abs(result.at(33, 20) - sum / 9)).toBeLessThan(6);
  });

  test('takes blur out', async () => {
    const picture = paint(
      { width: 70, height: 50 },
      3,
      (x) => [x, x, x].map((at) => Math.min(160, Math.max(90, 10 * at - 220))) as [number, number, number],
    );
    const wishes = { denoise: '0', deblock: '0', deblur: '1', model: 'my-nafnet' };
    const result = await ask('restore', { image: picture }, wishes);
    expect(result.headers.get('x-model-actual')).toBe('my-nafnet');
    expect(result.at(31, 20)).toBeLessThan(89);
  });

  test('enlarges', async () => {
    const picture = noise({ width: 33, height: 21 }, 3);
    const result = await ask('upscale', { image: picture }, { model: 'my-esrgan' });
    expect(result).toMatchObject({ width: 66, height: 42 });
    expect(result.headers.get('x-model-actual')).toBe('my-esrgan');
  });

  test('cuts out', async () => {
    const picture = noise({ width: 80, height: 60 }, 3);
    const result = await ask('background-removal', { image: picture }, { model: 'my-modnet' });
    expect(result).toMatchObject({ width: 80, height: 60, channels: 4 });
    expect(result.headers.get('x-model-actual')).toBe('my-modnet');
  });
});

async function ask(path: string, pictures: Record<string, Pixels>, params: Record<string, string>) {
  const form = new FormData();
  for (const [name, value] of Object.entries(params)) form.set(name, value);
  for (const [name, { data, width, height, channels }] of Object.entries(pictures)) {
    const png = await sharp(data, { raw: { width, height, channels } }).png().toBuffer();
    form.set(name, new Blob([new Uint8Array(png)]), `${name}.png`);
  }
  const response = await fetch(`${url}/v1/images/${path}`, {
    method: 'POST',
    headers: { accept: 'image/*' },
    body: form,
  });
  const body = Buffer.from(await response.arrayBuffer());
  expect([response.status, response.ok ? '' : body.toString()]).toEqual([200, '']);
  const { data, info } = await sharp(body).raw().toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  const at = (x: number, y: number) => data[channels * (y * width + x)] as number;
  return { width, height, channels, at, headers: response.headers };
}

function around(x: number, y: number): [number, number][] {
  return Array.from({ length: 9 }, (_, at) => [x - 1 + (at % 3), y - 1 + Math.floor(at / 3)]);
}
