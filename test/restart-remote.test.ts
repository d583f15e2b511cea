import { describe, expect, it, onTestFinished } from 'vitest';
import { type ServerProcess, serverProcess } from '../bench/server-process.js';
import { pixel, providersJson } from './engine/routing/routed-engine.js';
import { FakeService } from './fakes/fake-service.js';
import { wires } from './fakes/index.js';
import type { Wire } from './fakes/wire.js';
import { tempFolder } from './helpers/temp-folder.js';
import { until } from './helpers/until.js';

interface Clip {
  id: string;
  status: string;
  model_actual: string;
  output_url: string | null;
  error: { code: string } | null;
}

/** The real server over a fake of a service, both on addresses that stay the same when the server is killed. */
async function started(name: string): Promise<{ server: ServerProcess; fake: FakeService }> {
  const fake = await new FakeService(wires[name] as Wire).start();
  const env = {
    DARKROOM_WORKERS: '1',
    DARKROOM_THREADS: '1',
    DARKROOM_DEVICE: 'cpu',
    DARKROOM_MIN_FREE_MB: '0',
    DARKROOM_PROVIDERS: providersJson({ [name]: fake }, 0.1),
  };
  const server = await serverProcess(await tempFolder(), env);
  await server.start();
  onTestFinished(async () => {
    await server.kill('SIGKILL');
    await fake.stop();
  });
  return { server, fake };
}

async function submit({ url }: ServerProcess, body: object): Promise<string> {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${url}/v1/video/generations`, { method: 'POST', headers, body: JSON.stringify(body) });
  expect(answer.status).toBe(202);
  return ((await answer.json()) as Clip).id;
}

async function ended({ url }: ServerProcess, id: string): Promise<Clip> {
  return until(
    async () => {
      const clip = (await (await fetch(`${url}/v1/video/generations/${id}`)).json()) as Clip;
      return ['completed', 'failed'].includes(clip.status) ? clip : null;
    },
    `${id} ended`,
    50_000,
  );
}

const text = { prompt: 'A ring turns on a stone' };

describe('kill -9 of the server', () => {
  it('between a submission and its answer bills one job, which is found and taken up', async () => {
    const { server, fake } = await started('kling');
    fake.faults.push('lost for ever');
    const id = await submit(server, text);
    await until(() => fake.billed === 1, 'the service has the job');
    await server.kill('SIGKILL');
    fake.heal();
    await server.start();
    const clip = await ended(server, id);
    expect(clip).toMatchObject({ status: 'completed', model_actual: 'kling-o3-pro-t2v' });
    expect((await fetch(clip.output_url ?? '')).headers.get('content-type')).toBe('video/mp4');
    expect([fake.billed, fake.submissions.length]).toEqual([1, 1]);
  });

  it('between a submission and its answer bills one job, also where it can’t be found: this machine makes the clip', async () => {
    const { server, fake } = await started('ark');
    fake.faults.push('lost for ever');
    const id = await submit(server, { ...text, image_url: pixel, duration: 3, resolution: '480p', fps: 24 });
    await until(() => fake.billed === 1, 'the service has the job');
    await server.kill('SIGKILL');
    fake.heal();
    await server.start();
    expect(await ended(server, id)).toMatchObject({ status: 'completed', model_actual: 'local-motion-i2v' });
    expect([fake.billed, fake.submissions.length]).toEqual([1, 1]);
  });

  it('while a service works bills one job, whose result is fetched afterwards', async () => {
    const { server, fake } = await started('ark');
    fake.faults.push('never ends');
    const id = await submit(server, text);
    await until(() => fake.received.length > 2, 'the job is looked at');
    await server.kill('SIGKILL');
    fake.heal();
    await server.start();
    expect(await ended(server, id)).toMatchObject({ status: 'completed', model_actual: 'seedance-t2v' });
    expect([fake.billed, fake.submissions.length]).toEqual([1, 1]);
  });
});
