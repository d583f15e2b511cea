import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const main = join(import.meta.dirname, '..', 'server', 'main.js');

/** The real server as a user starts it, on a port that stays the same over restarts. */
export interface ServerProcess {
  url: string;
  start(): Promise<void>;
  /** `SIGKILL` unless another signal is given; resolves when the process is gone. */
  kill(signal?: NodeJS.Signals): Promise<number | null>;
  /** Process id of the server, and of its host process as `/health` tells it. */
  pids(): Promise<{ server: number; host: number | null }>;
}

/** A server over `dataFolder`; not started yet. */
export async function serverProcess(dataFolder: string, env: Record<string, string> = {}): Promise<ServerProcess> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  let child: ChildProcess | null = null;
  return {
    url,
    async start() {
      const settings = { DARKROOM_DATA: dataFolder, DARKROOM_PORT: String(port), DARKROOM_LOG: 'error', ...env };
      child = spawn(process.execPath, [main, '--local'], {
        env: { ...process.env, ...settings },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      await readyLine(child);
    },
    async kill(signal = 'SIGKILL') {
      if (!child || child.exitCode !== null || child.signalCode !== null) return null;
      const gone = once(child, 'exit');
      child.kill(signal);
      const [code] = (await gone) as [number | null];
      return code;
    },
    async pids() {
      const health = (await (await fetch(`${url}/health`)).json()) as { host: { pid: number } | null };
      return { server: child?.pid ?? 0, host: health.host?.pid ?? null };
    },
  };
}

async function readyLine(child: ChildProcess): Promise<void> {
  if (!child.stdout) throw new Error('The server has no standard output');
  const lines = createInterface({ input: child.stdout });
  for await (const line of lines) if (line.includes('ready at http')) break;
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
