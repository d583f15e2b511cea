import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { backgroundRemoval } from '#src/engine/operations/background-removal.js';
import { tempFolder } from './helpers/temp-folder.js';

const root = resolve(import.meta.dirname, '..');
const photo = join(root, 'test/fixtures/photo.jpg');

describe('darkroom cutout', () => {
  it('makes a transparent PNG of one photograph', async () => {
    const folder = await tempFolder();
    const run = await darkroom(['cutout', photo, '-o', join(folder, 'out.png')]);
    expect(run).toMatchObject({ code: 0, stderr: '' });
    expect(await sharp(join(folder, 'out.png')).metadata()).toMatchObject({
      format: 'png',
      hasAlpha: true,
      width: 400,
    });
  });

  it('takes the format from the name of the output', async () => {
    const folder = await tempFolder();
    await darkroom(['cutout', photo, '-o', join(folder, 'out.webp')]);
    expect(await sharp(join(folder, 'out.webp')).metadata()).toMatchObject({ format: 'webp', hasAlpha: true });
  });

  it('puts the result beside the photograph when it is not told where', async () => {
    const folder = await tempFolder();
    await copyFile(photo, join(folder, 'cap.jpg'));
    expect((await darkroom(['cutout', join(folder, 'cap.jpg')])).code).toBe(0);
    expect(await readdir(folder)).toEqual(['cap-cutout.png', 'cap.jpg']);
  });

  it('reads standard input and writes standard output', async () => {
    const run = await darkroom(['cutout', '-', '-o', '-'], await readFile(photo));
    expect(run.code).toBe(0);
    expect(await sharp(run.stdout).metadata()).toMatchObject({ format: 'png', hasAlpha: true });
  });

  it('goes on after a bad file, lists it with its reason and tells by its exit code', async () => {
    const { input, output } = await shopFolder();
    const run = await darkroom(['cutout', input, '-o', output]);
    expect(run.code).toBe(1);
    expect(run.stderr).toMatch(/broken\.jpg: .+/);
    expect(run.stderr).toContain('2 done, 0 skipped, 1 failed');
    expect((await readdir(output, { recursive: true })).sort()).toEqual(['cap.png', 'more', join('more', 'cap.png')]);
  });

  it('takes up a folder where it was left, and does changed files again', async () => {
    const { input, output } = await shopFolder();
    await darkroom(['cutout', input, '-o', output, '--quiet']);
    const before = await stat(join(output, 'cap.png'));
    await utimes(join(input, 'more/cap.jpg'), new Date(), new Date(Date.now() + 60_000));
    const lines = jsonLines((await darkroom(['cutout', input, '-o', output, '--json'])).stdout);
    expect(lines.find(({ file }) => file === join(input, 'cap.jpg'))).toMatchObject({ state: 'skipped' });
    expect(lines.find(({ file }) => file === join(input, 'more/cap.jpg'))).toMatchObject({
      state: 'done',
      model: 'cutout',
    });
    expect(lines.find(({ file }) => file === join(input, 'broken.jpg'))).toMatchObject({
      state: 'failed',
      error: { code: 'invalid_input' },
    });
    expect(lines.at(-1)).toMatchObject({ done: 1, skipped: 1, failed: 1, total: 3 });
    expect((await stat(join(output, 'cap.png'))).mtimeMs).toBe(before.mtimeMs);
  });

  it('writes a verdict on every result and puts the doubtful ones aside', async () => {
    const { input, output } = await shopFolder();
    const plain = join(input, 'plain.png');
    await sharp({ create: { width: 90, height: 60, channels: 3, background: 'white' } }).toFile(plain);
    const report = join(input, '../verdicts.csv');
    const doubtful = join(input, '../doubtful');
    const args = ['cutout', input, '-o', output, '--report', report, '--doubtful', doubtful];
    expect((await darkroom(args)).code).toBe(1);
    const lines = (await readFile(report, 'utf8')).trim().split('\r\n');
    expect(lines).toHaveLength(5);
    expect(lines.find((line) => line.includes('plain.png'))).toMatch(/,true,.*(found|removed|clearly)/);
    expect(lines.find((line) => line.includes('broken.jpg'))).toMatch(/,failed,true,.*picture/);
    expect(await readdir(doubtful)).toContain('plain.png');
    expect(await stat(join(output, 'plain.png')).catch(() => null)).toBeNull();
    const again = jsonLines((await darkroom([...args, '--json'])).stdout);
    expect(again.at(-1)).toMatchObject({ done: 0, skipped: 3, failed: 1 });
    expect((await readFile(report, 'utf8')).trim().split('\r\n')).toHaveLength(5);
  });

  it('takes the other pictures of an operation as files', async () => {
    const folder = await tempFolder();
    const [background, output] = [join(folder, 'sky.png'), join(folder, 'out.jpg')];
    await sharp({ create: { width: 30, height: 30, channels: 3, background: '#3080ff' } }).toFile(background);
    const run = await darkroom(['cutout', photo, '-o', output, '--bg-image', background, '--aspect', 'square']);
    expect(run.code).toBe(0);
    const corner = await sharp(output).extract({ left: 2, top: 2, width: 1, height: 1 }).raw().toBuffer();
    expect(Math.abs((corner[2] as number) - 255)).toBeLessThan(6);
    const wrong = await darkroom(['cutout', photo, '-o', output, '--bg-image', join(folder, 'none.png')]);
    expect(wrong.stderr).toContain('none.png');
  });

  it('refuses a trimap that is not as large as the photograph', async () => {
    const folder = await tempFolder();
    const trimap = join(folder, 'trimap.png');
    await sharp({ create: { width: 9, height: 6, channels: 3, background: 'grey' } }).toFile(trimap);
    const run = await darkroom(['cutout', photo, '--trimap', trimap, '-o', join(folder, 'out.png')]);
    expect(run.code).toBe(1);
    expect(run.stderr).toContain('Expected `trimap` to be as large as the picture, 400 × 534, got 9 × 6');
    expect(await readdir(folder)).toEqual(['trimap.png']);
  });

  it('says what is wrong with an option: which, what was expected, what came', async () => {
    const run = await darkroom(['upscale', photo, '--scale', '50']);
    expect(run.code).toBe(2);
    expect(run.stderr).toMatch(/scale.*from 1 to 16.*50/);
    expect((await darkroom(['cutout', photo, '--colour', 'red'])).stderr).toContain('--colour');
    expect((await darkroom(['cutout', 'no-such-photo.jpg'])).stderr).toContain('no-such-photo.jpg');
  });

  it('shows every option with its default', async () => {
    const { stdout } = await darkroom(['upscale', '--help']);
    for (const text of ['--scale', '--model', '--format', '--output', '--json', '--force', 'default: "auto"'])
      expect(stdout.toString()).toContain(text);
    const cutout = (await darkroom(['cutout', '--help'])).stdout.toString();
    const own = ['--trimap', '--bg-image', '--report', '--doubtful'];
    const params = Object.keys(backgroundRemoval.params.shape).map((name) => `--${name.replaceAll('_', '-')}`);
    for (const text of [...own, ...params]) expect(cutout).toContain(text);
  });
});

describe('darkroom upscale', () => {
  it('enlarges a photograph four times', async () => {
    const folder = await tempFolder();
    await sharp(photo).resize(60).toFile(join(folder, 'small.jpg'));
    await darkroom(['upscale', join(folder, 'small.jpg'), '--scale', '4', '-o', join(folder, 'large.jpg')]);
    expect(await sharp(join(folder, 'large.jpg')).metadata()).toMatchObject({ format: 'jpeg', width: 240 });
  });
});

async function shopFolder(): Promise<{ input: string; output: string }> {
  const folder = await tempFolder();
  const input = join(folder, 'in');
  await mkdir(join(input, 'more'), { recursive: true });
  await copyFile(photo, join(input, 'cap.jpg'));
  await copyFile(photo, join(input, 'more/cap.jpg'));
  await writeFile(join(input, 'broken.jpg'), 'not a picture');
  await writeFile(join(input, 'notes.txt'), 'not a picture either');
  return { input, output: join(folder, 'out') };
}

async function darkroom(
  args: string[],
  input?: Buffer,
): Promise<{ code: number | null; stdout: Buffer; stderr: string }> {
  const child = spawn(process.execPath, [join(root, 'dist/cli.js'), ...args], { stdio: 'pipe' });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (bytes: Buffer) => stdout.push(bytes));
  child.stderr.on('data', (bytes: Buffer) => stderr.push(bytes));
  child.stdin.end(input);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString() };
}

function jsonLines(text: Buffer): Record<string, unknown>[] {
  return text
    .toString()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}
