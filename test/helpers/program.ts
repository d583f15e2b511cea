import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, expect } from 'vitest';
import { tempFolderOfFile } from './temp-folder.js';

const root = resolve(import.meta.dirname, '../..');

/** A photograph that is in the repository: a cap, 400 × 534. */
export const photo: string = join(root, 'test/fixtures/photo.jpg');

/**
 * The address of the program as `npm start` runs it: a process of its own, with its own host process and the bundled
 * models. It is ended with the test file, and must end well.
 */
export async function startProgram(settings: Record<string, string> = {}): Promise<string> {
  const env = {
    ...process.env,
    DARKROOM_PORT: '0',
    DARKROOM_DATA: await tempFolderOfFile(),
    DARKROOM_LOG: 'error',
    DARKROOM_MIN_FREE_MB: '0',
    ...settings,
  };
  const server = spawn(process.execPath, [join(root, 'dist/server/main.js'), '--local'], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  started.push(server);
  return readyUrl(server);
}

// Hooks that are registered while a hook runs are never called: this one is there before any program is.
const started: ChildProcess[] = [];
afterAll(async () => {
  for (const server of started.splice(0)) {
    const exited = once(server, 'exit');
    server.kill('SIGTERM');
    expect((await exited)[0]).toBe(0);
  }
});

async function readyUrl({ stdout }: ChildProcess): Promise<string> {
  if (!stdout) throw new Error('The server has no standard output');
  for await (const line of createInterface({ input: stdout })) {
    const found = /http:\/\/\S+/.exec(line);
    if (found) return found[0];
  }
  throw new Error('The server ended before it was ready');
}
