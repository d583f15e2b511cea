import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { testSettings } from '../../fixtures/host/settings.js';
import { isAlive, until } from '../../helpers/processes.js';

interface Parent {
  process: ChildProcess;
  /** Its host, whose worker is inside the runtime. */
  host: number;
}

/** A process of its own that supervises a host at work. */
async function openParent(then: 'stay' | 'close' | 'exit'): Promise<Parent> {
  const script = fileURLToPath(new URL('../../fixtures/host/parent.js', import.meta.url));
  const parent = spawn(process.execPath, [script, JSON.stringify(testSettings()), then], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void parent.kill('SIGKILL'));
  const [line] = await once(createInterface(parent.stdout), 'line');
  return { process: parent, host: Number(line) };
}

describe('a host inside the runtime', () => {
  it('ends when its parent is killed', async () => {
    const { process: parent, host } = await openParent('stay');
    expect(isAlive(host)).toBe(true);
    parent.kill('SIGKILL');
    await until(() => !isAlive(host), 5000);
  });

  it('ends when its parent exits', async () => {
    const { process: parent, host } = await openParent('exit');
    const [code] = await once(parent, 'exit');
    await until(() => !isAlive(host), 5000);
    expect(code).toBe(0);
  });

  it('is closed without harm to its parent', async () => {
    const { process: parent, host } = await openParent('close');
    expect(await once(parent, 'exit')).toEqual([0, null]);
    expect(isAlive(host)).toBe(false);
  });
});
