import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { tempFolder } from '../helpers/temp-folder.js';

const program = resolve(import.meta.dirname, '../../dist/cli.js');

test('darkroom doctor tells in words and as JSON what there is, and by its exit code whether work would fail', async () => {
  const env = { ...process.env, DARKROOM_DATA: await tempFolder(), DARKROOM_DEVICE: 'cpu', DARKROOM_MIN_FREE_MB: '0' };
  const words = spawnSync(process.execPath, [program, 'doctor'], { env, encoding: 'utf8' });
  expect(words.status).toBe(0);
  expect(words.stdout).toMatch(/^ok {4}node {14}Node \d+/m);
  expect(words.stdout).toMatch(/^ok {4}bundled models {4}cutout, /m);

  const wrong = { ...env, DARKROOM_DATA: join(program, 'nowhere') };
  const json = spawnSync(process.execPath, [program, 'doctor', '--json'], { env: wrong, encoding: 'utf8' });
  expect(json.status).toBe(1);
  const { ok, findings } = JSON.parse(json.stdout) as { ok: boolean; findings: { topic: string; state: string }[] };
  expect(ok).toBe(false);
  expect(findings.find(({ topic }) => topic === 'data folder')).toMatchObject({
    state: 'bad',
    next: expect.any(String),
  });
});
