import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openAsBlob } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { isAlive } from '../helpers/processes.js';
import { tempFolder } from '../helpers/temp-folder.js';
import { until } from '../helpers/until.js';
import { bodyOf } from './harness.js';

const root = resolve(import.meta.dirname, '../..');
const photo = join(root, 'test/fixtures/photo.jpg');

interface Program {
  child: ChildProcess;
  out(): string;
  err(): string;
  /** The exit code, once it has ended. */
  ended: Promise<number | null>;
  /** Its address, once it is ready. */
  ready(): Promise<string>;
}

/** The program as it ships, in a process group of its own as a shell would start it. */
async function start(settings: Record<string, string> = {}, args: string[] = ['--local']): Promise<Program> {
  const env = {
    PATH: process.env.PATH,
    DARKROOM_PORT: '0',
    DARKROOM_DATA: settings.DARKROOM_DATA ?? (await tempFolder()),
    DARKROOM_MIN_FREE_MB: '0',
    // Given, so that no test waits for the probe.
    DARKROOM_WORKERS: '1',
    DARKROOM_THREADS: '1',
    ...settings,
  };
  const main = join(root, 'dist/server/main.js');
  const child = spawn(process.execPath, [main, ...args], { env, cwd: root, detached: true, stdio: 'pipe' });
  const text = { out: '', err: '' };
  child.stdout.on('data', (chunk) => (text.out += chunk));
  child.stderr.on('data', (chunk) => (text.err += chunk));
  const ended = once(child, 'close').then(([code]) => code as number | null);
  onTestFinished(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await ended;
  });
  const ready = () => until(() => /Darkroom is ready at (http\S+)\n/.exec(text.out)?.[1], `ready: ${text.err}`);
  return { child, out: () => text.out, err: () => text.err, ended, ready };
}

async function submit(url: string, headers: Record<string, string> = {}): Promise<string> {
  const body = new FormData();
  body.set('image', await openAsBlob(photo), 'photo.jpg');
  return (await bodyOf(fetch(`${url}/api/generate/super-resolution`, { method: 'POST', body, headers }))).id;
}

async function hostOf(url: string): Promise<number> {
  const { host } = await bodyOf<{ host: { pid: number } }>(fetch(`${url}/health`));
  return host.pid;
}

describe('the program', () => {
  it('prints one line when it is ready, and ends with 0 and its host at SIGTERM', async () => {
    const program = await start({ DARKROOM_PROT: '1' });
    const url = await program.ready();
    expect((await fetch(`${url}/ready`)).status).toBe(200);
    const host = await hostOf(url);
    program.child.kill('SIGTERM');
    expect(await program.ended).toBe(0);
    expect(program.out()).toBe(`Darkroom is ready at ${url}\n`);
    expect(program.err()).toContain('"name":"DARKROOM_PROT","msg":"There is no setting of this name');
    expect(isAlive(host)).toBe(false);
  });

  it('lets the running job end when Ctrl-C reaches all its processes, and is ready to go on', async () => {
    const DARKROOM_DATA = await tempFolder();
    const first = await start({ DARKROOM_DATA });
    const url = await first.ready();
    const id = await submit(url);
    const events = (await fetch(`${url}/api/generate/status/${id}/events`)).text();
    await until(async () => (await bodyOf(fetch(`${url}/api/generate/status/${id}`))).status === 'PROCESSING', 'begun');
    process.kill(-(first.child.pid as number), 'SIGINT');
    expect(await first.ended).toBe(0);
    expect(await events).toContain('"status":"COMPLETED"');
    const second = await start({ DARKROOM_DATA });
    const later = await bodyOf(fetch(`${await second.ready()}/api/generate/status/${id}`));
    expect(later.status).toBe('COMPLETED');
  });

  it('makes a key at the first start where keys are required, and shows it that once', async () => {
    const DARKROOM_DATA = await tempFolder();
    const first = await start({ DARKROOM_DATA }, []);
    const url = await first.ready();
    const secret = /^API key, shown only now: (\S+)\nDarkroom is ready at \S+\n$/.exec(first.out())?.[1];
    expect((await fetch(`${url}/v1/models`)).status).toBe(401);
    expect((await fetch(`${url}/v1/models`, { headers: { Authorization: `Bearer ${secret}` } })).status).toBe(200);
    first.child.kill('SIGTERM');
    await first.ended;
    expect(first.err()).not.toContain(secret);
    const second = await start({ DARKROOM_DATA }, []);
    const again = await second.ready();
    expect(second.out()).toBe(`Darkroom is ready at ${again}\n`);
    expect((await fetch(`${again}/v1/models`, { headers: { Authorization: `Bearer ${secret}` } })).status).toBe(200);
  });

  it('ends at once at a second signal', async () => {
    const program = await start();
    const id = await submit(await program.ready());
    const url = await program.ready();
    await until(async () => (await bodyOf(fetch(`${url}/api/generate/status/${id}`))).status === 'PROCESSING', 'begun');
    const host = await hostOf(url);
    program.child.kill('SIGTERM');
    await until(async () => (await fetch(`${url}/ready`)).status === 503, 'stopping');
    program.child.kill('SIGTERM');
    await program.ended;
    expect(program.child.signalCode).toBe('SIGTERM');
    await until(() => !isAlive(host), 'the host is gone too');
  });
});

describe('the program refuses to start', () => {
  it.each([
    [
      'with a value that can’t be',
      { DARKROOM_PORT: 'http' },
      'DARKROOM_PORT: expected a whole number, 0..65535, got "http"',
    ],
    [
      'open to everybody',
      { DARKROOM_HOST: '0.0.0.0', DARKROOM_AUTH: 'off' },
      'DARKROOM_AUTH=off would open this server',
    ],
    ['on an address that is not ours', { DARKROOM_HOST: '192.0.2.1' }, 'DARKROOM_HOST: 192.0.2.1 is not an address'],
    ['without a GPU that it must have', { DARKROOM_REQUIRE_GPU: '1', DARKROOM_DEVICE: 'cpu' }, 'DARKROOM_REQUIRE_GPU'],
  ])('%s, and says why', async (_name, settings, message) => {
    const program = await start(settings);
    expect(await program.ended).toBe(1);
    expect(program.err()).toContain(message);
    expect(program.err()).not.toMatch(/^\s+at /m);
    expect(program.out()).toBe('');
  });

  it('where another program listens, or another Darkroom works', async () => {
    const DARKROOM_DATA = await tempFolder();
    const first = await start({ DARKROOM_DATA });
    const { port } = new URL(await first.ready());
    const samePort = await start({ DARKROOM_PORT: port });
    expect(await samePort.ended).toBe(1);
    expect(samePort.err()).toContain(`DARKROOM_PORT: ${port} is in use on 127.0.0.1`);
    const sameFolder = await start({ DARKROOM_DATA });
    expect(await sameFolder.ended).toBe(1);
    expect(sameFolder.err()).toContain('Darkroom');
    expect(sameFolder.err()).not.toMatch(/^\s+at /m);
    expect((await fetch(`http://127.0.0.1:${port}/health`)).status).toBe(200);
  });
});
