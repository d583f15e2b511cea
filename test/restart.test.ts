import sharp from 'sharp';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type ServerProcess, serverProcess } from '../bench/server-process.js';
import { tempFolder } from './helpers/temp-folder.js';
import { until } from './helpers/until.js';

interface Job {
  id: string;
  status: string;
  output_url: string | null;
}

// Each of these starts the real server twice, with the probe of the machine remembered from the first start.
describe('an accepted job', () => {
  it('survives kill -9 of the server in the middle of its run', async () => {
    const server = await started();
    const jobs = await submitSome(server);
    await until(async () => (await status(server, jobs[0])).status === 'PROCESSING', 'a job runs');
    await server.kill('SIGKILL');
    await server.start();
    await allCompleted(server, jobs);
  });

  it('survives kill -9 of the host process in the middle of its run', async () => {
    const server = await started();
    const jobs = await submitSome(server);
    await until(async () => (await status(server, jobs[0])).status === 'PROCESSING', 'a job runs');
    process.kill((await server.hostPid()) ?? 0, 'SIGKILL');
    await allCompleted(server, jobs);
  });

  it('goes back to the queue when the server is stopped before it can finish', async () => {
    const server = await started({ DARKROOM_GRACE_SECONDS: '0' });
    const jobs = await submitSome(server);
    await until(async () => (await status(server, jobs[0])).status === 'PROCESSING', 'a job runs');
    expect(await server.kill('SIGTERM')).toBe(0);
    await server.start();
    await allCompleted(server, jobs);
  });
});

async function started(env: Record<string, string> = {}): Promise<ServerProcess> {
  const layout = { DARKROOM_WORKERS: '2', DARKROOM_THREADS: '1', DARKROOM_DEVICE: 'cpu', DARKROOM_MIN_FREE_MB: '0' };
  const server = await serverProcess(await tempFolder(), { ...layout, ...env });
  await server.start();
  onTestFinished(async () => {
    await server.kill('SIGKILL');
  });
  return server;
}

/** One that takes a while and three small ones. */
async function submitSome(server: ServerProcess): Promise<string[]> {
  const ids: string[] = [];
  for (const width of [700, 40, 50, 60]) {
    const picture = await sharp({ create: { width, height: 400, channels: 3, background: '#4060a0' } })
      .jpeg()
      .toBuffer();
    const body = new FormData();
    body.append('image', new Blob([new Uint8Array(picture)]), 'plain.jpg');
    const answer = await fetch(`${server.url}/api/generate/super-resolution`, { method: 'POST', body });
    expect(answer.status).toBe(202);
    ids.push(((await answer.json()) as Job).id);
  }
  return ids;
}

async function allCompleted(server: ServerProcess, ids: string[]): Promise<void> {
  for (const id of ids) {
    const job = await until(async () => {
      const now = await status(server, id);
      expect(['PENDING', 'PROCESSING', 'COMPLETED']).toContain(now.status);
      return now.status === 'COMPLETED' ? now : null;
    }, `${id} completed`);
    expect((await fetch(job.output_url ?? '')).status).toBe(200);
  }
}

async function status(server: ServerProcess, id = ''): Promise<Job> {
  return (await (await fetch(`${server.url}/api/generate/status/${id}`)).json()) as Job;
}
