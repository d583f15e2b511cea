import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(import.meta.resolve('#src/server/main.js'));

/** The real server as a user starts it, on a port that stays the same over restarts. */
export interface ServerProcess {
  url: string;
  start(): Promise<void>;
  /** `SIGKILL` unless another signal is given; resolves when the process is gone. */
  kill(signal?: NodeJS.Signals): Promise<number | null>;
  pid(): number;
  /** Process id of the host process; null while there is none. Linux only. */
  hostPid(): Promise<number | null>;
}

/** A server over `dataFolder`; not started yet. */
export async function serverProcess(dataFolder: string, env: Record<string, string> = {}): Promise<ServerProcess> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  let child: ChildProcess | null = null;
  let isWanted = false;
  return {
    url,
    async start() {
      const settings = { DARKROOM_DATA: dataFolder, DARKROOM_PORT: String(port), DARKROOM_LOG: 'error', ...env };
      child = spawn(process.execPath, [main, '--local'], {
        env: { ...process.env, ...settings },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      isWanted = true;
      child.once('exit', (code, signal) => {
        if (isWanted) console.error(`The server ended by itself (${signal ?? `exit code ${code}`})`);
      });
      await readyLine(child);
    },
    async kill(signal = 'SIGKILL') {
      if (!child || child.exitCode !== null || child.signalCode !== null) return null;
      isWanted = false;
      const gone = once(child, 'exit');
      child.kill(signal);
      const [code] = (await gone) as [number | null];
      return code;
    },
    pid: () => child?.pid ?? Number.NaN,
    async hostPid() {
      const children = await readFile(`/proc/${child?.pid}/task/${child?.pid}/children`, 'utf8');
      return children.trim() === '' ? null : Number(children.trim().split(' ').at(-1));
    },
  };
}

async function readyLine(child: ChildProcess): Promise<void> {
  if (!child.stdout) throw new Error('The server has no standard output');
  const lines = createInterface({ input: child.stdout });
  let isReady = false;
  for await (const line of lines) {
    isReady = line.includes('ready at http');
    if (isReady) break;
  }
  if (!isReady) throw new Error('The server ended before it was ready; its reasons are on standard error');
  child.stdout.resume();
}

async function freePort(): Promise<number> {
  const probe = createServer();
  probe.listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  return typeof address === 'object' && address ? address.port : 0;
}
