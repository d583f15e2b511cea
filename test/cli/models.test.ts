import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { weightsServer } from '../engine/model-store/weights-server.js';
import { tempFolder } from '../helpers/temp-folder.js';
import { tinyUpscaler } from '../helpers/tiny-models.js';
import { until } from '../helpers/until.js';

const root = resolve(import.meta.dirname, '../..');
/** A model of the program without a digest, which any network with these tensors can be. */
const unpinned = 'span-x4';
const { bytes } = tinyUpscaler(4, 'srvgg');

describe('darkroom models', () => {
  test('lists what there is, for people and for programs', async () => {
    const data = await tempFolder();
    const { stdout } = await darkroom(data, ['list', '--task', 'inpainting']);
    expect(stdout).toMatch(/^MODEL +TASK +SIZE +STATE +LICENCE\n/);
    expect(stdout).toMatch(/^lama +inpainting +208 MB +to be fetched +Apache-2.0$/m);
    const all = (await darkroom(data, ['list'])).stdout;
    expect(all).toMatch(/^scunet-real-psnr .* to be imported /m);
    // Its network is larger than an ONNX file can be.
    expect(all).toMatch(/^sdxl-turbo .* no code for it /m);
    expect(all.match(/no code for it/g)).toHaveLength(1);
    const listed = JSON.parse((await darkroom(data, ['list', '--json'])).stdout) as {
      id: string;
      installed: boolean;
    }[];
    expect(listed.find(({ id }) => id === 'cutout')).toMatchObject({ installed: true, tier: 'bundled' });
    const here = (await darkroom(data, ['list', '--installed'])).stdout;
    expect(here).toContain('cutout');
    expect(here).not.toContain('lama');
  });

  test('tells everything of one', async () => {
    const { stdout } = await darkroom(await tempFolder(), ['info', 'lama']);
    expect(stdout).toContain('1faef5301d78db7dda502fe59966957ec4b79dd64e16f03ed96913c7a4eb68d6');
    expect(stdout).toContain('https://github.com/advimman/lama/blob/main/LICENSE');
    const missing = await darkroom(await tempFolder(), ['info', 'llama']);
    expect(missing).toMatchObject({ code: 2, stderr: expect.stringContaining('There is no model "llama"') });
  });

  test('fetches from the mirror after a yes to the licence, exports, and another machine imports and runs it', async () => {
    const { origin } = await weightsServer({ [`/m/${unpinned}/${unpinned}.onnx`]: bytes }, { cutAfter: 4000 });
    const [here, there] = [await tempFolder(), await tempFolder()];
    const mirror = { DARKROOM_MODEL_MIRROR: `${origin}/m/` };
    const unasked = await darkroom(here, ['pull', unpinned], mirror);
    expect(unasked).toMatchObject({ code: 2, stderr: expect.stringMatching(/Apache-2.0.*\n.*add --accept-licence/) });
    const pulled = await darkroom(here, ['pull', unpinned, '--accept-licence', '--quiet'], mirror);
    expect(pulled).toMatchObject({ code: 0, stdout: `${unpinned} is installed, and its digest is kept from now on\n` });
    expect((await darkroom(here, ['verify'])).stdout).toContain(`${unpinned}: good`);

    const bundle = join(here, 'bundle.tar');
    expect(await darkroom(here, ['export', '-o', bundle])).toMatchObject({ code: 0 });
    const imported = await darkroom(there, ['import', bundle, '--accept-licence']);
    expect(imported).toMatchObject({ code: 0, stdout: `${unpinned} is installed\n` });
    const photo = join(here, 'small.png');
    await sharp(join(root, 'test/fixtures/photo.jpg')).resize(40).toFile(photo);
    const large = join(there, 'large.png');
    const run = await darkroom(there, ['upscale', photo, '--scale', '4', '--model', unpinned, '-o', large], {}, []);
    expect(run).toMatchObject({ code: 0, stderr: '' });
    expect(await sharp(large).metadata()).toMatchObject({ width: 160 });
  });

  test('goes on where it was killed, and shows nothing of the model until it is whole', async () => {
    const path = `/${unpinned}/${unpinned}.onnx`;
    const server = await weightsServer({ [path]: bytes }, { cutAfter: 5000, hangs: true });
    const data = await tempFolder();
    const mirror = { DARKROOM_MODEL_MIRROR: server.origin };
    const killed = start(data, ['models', 'pull', unpinned, '--accept-licence', '--quiet'], mirror);
    const part = join(data, 'models/.incoming', unpinned, `${unpinned}.onnx.part`);
    await until(async () => (await stat(part).catch(() => null))?.size === 5000, 'half of it');
    killed.kill('SIGKILL');
    await once(killed, 'close');
    expect((await darkroom(data, ['list', '--installed'])).stdout).not.toContain(unpinned);
    server.manners = {};
    server.asked.length = 0;
    expect(await darkroom(data, ['pull', unpinned, '--accept-licence'], mirror)).toMatchObject({ code: 0 });
    expect(server.asked).toEqual([{ method: 'GET', url: path, range: 'bytes=5000-', status: 206 }]);
  });

  test('goes on with the others when one cannot be had', async () => {
    const { origin } = await weightsServer({ '/span-x2/span-x2.onnx': tinyUpscaler(2, 'srvgg').bytes });
    const data = await tempFolder();
    const ids = ['cutout', 'scunet-real-psnr', 'span-x2'];
    const run = await darkroom(data, ['pull', ...ids, '--accept-licence'], { DARKROOM_MODEL_MIRROR: origin });
    expect(run).toMatchObject({ code: 1, stderr: expect.stringContaining('the server answered 404') });
    expect(run.stdout).toBe(
      'cutout comes with the program\nspan-x2 is installed, and its digest is kept from now on\n',
    );
  });

  test('refuses weights that are not for shops, with the variable that allows them', async () => {
    const run = await darkroom(await tempFolder(), ['pull', 'rmbg-1.4', '--accept-licence']);
    expect(run.code).toBe(1);
    expect(run.stderr).toMatch(/NOT for commercial use.*\n.*forbids commercial use.*DARKROOM_ALLOW_NONCOMMERCIAL=1/s);
  });

  test('adds a network of the owner, finds it damaged, and removes it', async () => {
    const data = await tempFolder();
    const file = join(data, 'My Net.onnx');
    await writeFile(file, bytes);
    const bare = await darkroom(data, ['add', file, '--family', 'srvgg']);
    expect(bare).toMatchObject({ code: 1, stderr: expect.stringContaining('constants.scale') });
    const wrong = await darkroom(data, ['add', file, '--family', 'magic']);
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('--family: expected one of ') });
    const constants = ['--constant', 'scale=4', '--constant', 'overlap=2'];
    const added = await darkroom(data, ['add', file, '--family', 'srvgg', ...constants]);
    expect(added).toMatchObject({ code: 0, stdout: 'my-net is installed; ask for it with model=my-net\n' });
    expect((await darkroom(data, ['list', '--installed'])).stdout).toMatch(
      /^my-net +super-resolution +.* own +not stated$/m,
    );

    await writeFile(
      join(data, 'models/my-net/My-Net.onnx'),
      bytes.map((byte, at) => (at === 200 ? byte ^ 1 : byte)),
    );
    const damaged = await darkroom(data, ['verify']);
    expect(damaged).toMatchObject({ code: 1, stdout: expect.stringMatching(/my-net: .*sha256 .*models add FILE/) });
    expect(await darkroom(data, ['remove', 'my-net'])).toMatchObject({ code: 0, stdout: 'my-net is removed\n' });
    expect(await darkroom(data, ['remove', 'my-net'])).toMatchObject({ code: 2 });
    expect(await darkroom(data, ['remove', 'cutout'])).toMatchObject({ code: 2 });
  });

  test('deletes what no model needs, and says so before', async () => {
    const data = await tempFolder();
    await mkdir(join(data, 'models/.incoming/u2net'), { recursive: true });
    await writeFile(join(data, 'models/.incoming/u2net/u2net.onnx.part'), 'half');
    await mkdir(join(data, 'models/lama'), { recursive: true });
    await writeFile(join(data, 'models/lama/old.onnx'), 'old');
    const dry = await darkroom(data, ['prune', '--dry-run']);
    expect(dry.stdout).toMatch(
      /u2net \(4 bytes\): a download.*\n.*old\.onnx \(3 bytes\): not a file of lama\n7 bytes could be freed/,
    );
    expect((await darkroom(data, ['prune'])).stdout).toContain('7 bytes freed');
    expect(await readdir(join(data, 'models'), { recursive: true })).toEqual(['.incoming', 'lama']);
  });
});

function start(data: string, args: string[], environment: Record<string, string>) {
  const env = { ...process.env, DARKROOM_DATA: data, DARKROOM_MIN_FREE_MB: '0', ...environment };
  return spawn(process.execPath, [join(root, 'dist/cli.js'), ...args], { stdio: 'pipe', env });
}

async function darkroom(
  data: string,
  args: string[],
  environment: Record<string, string> = {},
  command: string[] = ['models'],
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = start(data, [...command, ...args], environment);
  const [stdout, stderr]: [string[], string[]] = [[], []];
  child.stdout.on('data', (text) => stdout.push(String(text)));
  child.stderr.on('data', (text) => stderr.push(String(text)));
  child.stdin.end();
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout: stdout.join(''), stderr: stderr.join('') };
}
