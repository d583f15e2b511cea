import { createServer as createNetServer } from 'node:net';
import { once } from 'node:events';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createMetrics } from '#src/server/metrics.js';
import { createServer } from '#src/server/server.js';
import { routedEngine, type RoutedEngineOptions } from '../../engine/routing/routed-engine.js';
import { until } from '../../helpers/until.js';

interface Provider {
  id: string;
  available: boolean;
  credentials: { name: string; resting: boolean; resting_until: string | null; resting_reason: string | null }[];
  models: {
    id: string;
    available: boolean;
    breaker: string;
    resting: boolean;
    resting_reason: string | null;
    outcomes: number;
  }[];
}

/** A server over an engine over fakes, which can call it back. */
async function start(options: RoutedEngineOptions) {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const metrics = createMetrics();
  const routed = await routedEngine({
    ...options,
    meter: metrics.meter,
    env: { PUBLIC_BASE_URL: url, ...options.env },
  });
  const server = createServer(routed.engine, {
    auth: 'off',
    log: pino({ level: 'silent' }),
    metrics,
    publicBaseUrl: url,
    maxUploadBytes: 1_000_000,
    retentionMs: 3_600_000,
  });
  await server.listen(port, '127.0.0.1');
  onTestFinished(() => server.close(100));
  return { ...routed, url };
}

async function freePort(): Promise<number> {
  const probe = createNetServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  return typeof address === 'object' && address ? address.port : 0;
}

const text = { prompt: 'A ring turns on a stone' };

describe('GET /v1/models', () => {
  it('lists the models of services beside those of this machine, with the same keys', async () => {
    const { url } = await start({ services: ['kling'] });
    const { data } = (await (await fetch(`${url}/v1/models`)).json()) as { data: Record<string, unknown>[] };
    const remote = data.filter(({ runs }) => runs === 'remote');
    expect(remote.length).toBeGreaterThan(0);
    expect(remote[0]).toMatchObject({ owned_by: 'kling', licence: null, installed: false, available: true });
    expect(Object.keys(remote[0] ?? {}).sort()).toEqual(Object.keys(data[0] ?? {}).sort());
    const one = await fetch(`${url}/v1/models/${remote[0]?.id}`);
    expect([one.status, await one.json()]).toEqual([200, remote[0]]);
  });
});

describe('GET /v1/providers', () => {
  it('shows who rests and why, and no key', async () => {
    const { fakes, make, url } = await start({ services: ['kling', 'ark'] });
    fakes.kling?.faults.push({ refuse: 'budget' });
    await make(text);
    const answer = await fetch(`${url}/v1/providers`);
    const body = await answer.text();
    const { data } = JSON.parse(body) as { data: Provider[] };
    expect(data.map(({ id, available }) => [id, available])).toEqual([
      ['kling', false],
      ['ark', true],
      ['local', true],
    ]);
    expect(data[0]?.credentials).toMatchObject([
      { name: expect.stringMatching(/^kling-[0-9a-f]{8}$/), resting: true, resting_until: expect.stringMatching(/Z$/) },
    ]);
    expect(data[0]?.models[0]).toMatchObject({
      id: 'kling-o3-pro-t2v',
      available: false,
      breaker: 'closed',
      resting_reason: 'Kling refused (1102): Account balance not enough',
    });
    expect(body).not.toContain('fake-key');
  });

  it('stands in the metrics too', async () => {
    const { fakes, make, url } = await start({ services: ['kling', 'ark'] });
    fakes.kling?.faults.push({ refuse: 'budget' });
    await make(text);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    for (const line of [
      'backend_attempts_total{provider="kling",model="kling-o3-pro-t2v",outcome="budget"} 1',
      'backend_attempts_total{provider="ark",model="seedance-t2v",outcome="done"} 1',
      'backend_available{provider="kling",model="kling-v3-t2v"} 0',
      'backend_available{provider="ark",model="seedance-t2v"} 1',
      'backend_breaker{provider="ark",model="seedance-t2v"} 0',
    ]) {
      expect(metrics).toContain(line);
    }
  });
});

describe('POST /v1/generations/{id}/feedback', () => {
  it('takes stars for the caller’s own result', async () => {
    const { make, url } = await start({ services: ['ark'] });
    const { id } = await make(text);
    const rate = (job: string, rating: unknown) =>
      fetch(`${url}/v1/generations/${job}/feedback`, { method: 'POST', body: JSON.stringify({ rating }) });
    expect((await rate(id, 4)).status).toBe(204);
    expect((await rate(id, 6)).status).toBe(400);
    expect((await rate(id, '5')).status).toBe(400);
    expect((await rate('vgen_unknown', 5)).status).toBe(404);
  });
});

describe('a call of a service', () => {
  // A job that is looked at once an hour ends in time only if the call wakes whoever looks.
  const env = { DARKROOM_JOB_SECONDS: '60' };
  const rarely = { services: ['kling'], pollSeconds: 3_600, env };

  it('makes the job be looked at, also when it comes twice', async () => {
    const { fakes, make } = await start({ ...rarely, fake: { queueMs: 50 } });
    const kling = fakes.kling;
    if (kling) kling.callbacks = 'twice';
    expect(await make(text)).toMatchObject({ state: 'completed', result: { modelActual: 'kling-o3-pro-t2v' } });
    await until(() => kling?.callbackAnswers.length === 2, 'both calls were answered');
    expect(kling?.callbackAnswers).toEqual([204, 204]);
  });

  it.each(['wrongly signed', 'an hour late'] as const)('that is %s is refused and wakes nobody', async (manner) => {
    const { fakes, engine } = await start({ ...rarely, fake: { queueMs: 50 } });
    const kling = fakes.kling;
    if (kling) kling.callbacks = manner;
    const { job } = await engine.submit({ operation: 'video-generation', owner: 'local', params: text, inputs: [] });
    await until(() => kling?.callbackAnswers.length === 1, 'the call was answered');
    expect(kling?.callbackAnswers).toEqual([401]);
    expect((await engine.get(job.id)).state).toBe('running');
    if (kling) kling.callbacks = 'properly';
    await kling?.callBack('kling-job-1');
    await until(async () => (await engine.get(job.id)).state === 'completed', 'the job was looked at');
  });

  it('at an address that nobody was told is not found', async () => {
    const { make, url, engine } = await start({ services: ['ark'] });
    const { id } = await make(text);
    const token = (await engine.get(id)).routing?.calls[0]?.callbackToken;
    const call = (path: string) => fetch(`${url}/v1/providers/${path}`, { method: 'POST', body: '{}' });
    expect((await call(`ark/callbacks/${id}/${token}`)).status).toBe(204);
    expect((await call(`ark/callbacks/${id}/wrong`)).status).toBe(404);
    expect((await call(`kling/callbacks/${id}/${token}`)).status).toBe(404);
    expect((await call(`ark/callbacks/vgen_unknown/${token}`)).status).toBe(404);
  });
});
