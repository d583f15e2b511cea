import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import sharp from 'sharp';
import { expect, it } from 'vitest';
import { photo } from './helpers/program.js';
import { tempFolder } from './helpers/temp-folder.js';
import { until } from './helpers/until.js';

const root = resolve(import.meta.dirname, '..');

interface Watching {
  child: ChildProcess;
  lines: Record<string, unknown>[];
  end(): Promise<number | null>;
}

function start(from: string, to: string, preset: string): Watching {
  const args = ['watch', from, to, '--preset', preset, '--settle', '0.2', '--json'];
  const child = spawn(process.execPath, [join(root, 'dist/cli.js'), ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines: Record<string, unknown>[] = [];
  let rest = '';
  child.stdout?.on('data', (bytes: Buffer) => {
    const parts = (rest + bytes.toString()).split('\n');
    rest = parts.pop() ?? '';
    for (const part of parts) lines.push(JSON.parse(part) as Record<string, unknown>);
  });
  return {
    child,
    lines,
    async end() {
      const closed = once(child, 'close');
      child.kill('SIGTERM');
      return (await closed)[0] as number | null;
    },
  };
}

it('darkroom watch makes one result of every picture, also of those that came while it was not there', async () => {
  const folder = await tempFolder();
  const [from, to] = [join(folder, 'in'), join(folder, 'out')];
  await mkdir(from);
  const preset = join(folder, 'small.json');
  await writeFile(
    preset,
    JSON.stringify({ operation: 'background-removal', params: { aspect: 'square', format: 'jpg' } }),
  );
  await cp(photo, join(from, 'first.jpg'));
  const before = start(from, to, preset);
  await until(() => before.lines.length === 1, 'the first result', 60_000);
  await writeFile(join(from, 'broken.jpg'), 'no picture');
  await until(() => before.lines.length === 2, 'the failure', 30_000);
  expect(before.lines.map(({ state }) => state)).toEqual(['done', 'failed']);
  expect(await before.end()).toBe(0);
  const made = await stat(join(to, 'first.jpg.jpg'));

  await cp(photo, join(from, 'second.jpg'));
  const after = start(from, to, preset);
  await until(() => after.lines.some(({ state }) => state === 'done'), 'the second result', 60_000);
  expect(await after.end()).toBe(0);
  expect((await readdir(to)).sort()).toEqual(['first.jpg.jpg', 'second.jpg.jpg']);
  expect((await stat(join(to, 'first.jpg.jpg'))).mtimeMs).toBe(made.mtimeMs);
  const { width, height, format } = await sharp(join(to, 'second.jpg.jpg')).metadata();
  expect([width === height, format]).toEqual([true, 'jpeg']);
}, 180_000);
