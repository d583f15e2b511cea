import { describe, expect, it } from 'vitest';
import { bodyOf, errorOf, pictureForm, picture, startServer } from '../harness.js';

const cutout = '/api/generate/background-removal';

describe('POST /api/generate/<operation>', () => {
  it('answers 202 with the job, for a form with a picture', async () => {
    const { url } = await startServer();
    const answer = await fetch(url + cutout, { method: 'POST', body: pictureForm({ format: 'webp' }) });
    const body = await bodyOf(answer);
    expect(answer.status).toBe(202);
    expect(body).toMatchObject({
      id: expect.stringMatching(/^bgrm_/),
      type: 'BACKGROUND_REMOVAL',
      model: 'auto',
      status: 'PENDING',
      progress: 0,
      stage: null,
      output_url: null,
      data: [],
      error: null,
      warnings: [],
      parameters: { format: 'webp' },
      credits: 0,
      failover_used: false,
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      completed_at: null,
    });
    expect(answer.headers.get('location')).toBe(`${url}/api/generate/status/${body.id}`);
    expect(answer.headers.get('x-job-id')).toBe(body.id);
    expect(answer.headers.get('x-model-actual')).toBe('auto');
    expect(answer.headers.get('x-failover-used')).toBe('false');
    expect(answer.headers.get('x-poll-interval')).toBe('1');
  });

  it('takes every operation that the engine has', async () => {
    const { url, engine } = await startServer();
    const steps = JSON.stringify([{ operation: 'super-resolution' }]);
    for (const { name, type, params } of engine.operations) {
      const body = pictureForm('steps' in params.shape ? { steps } : {});
      const answer = await fetch(`${url}/api/generate/${name}`, { method: 'POST', body });
      expect([answer.status, (await bodyOf(answer)).type]).toEqual([202, type]);
    }
  });

  it('reports a field that it does not know', async () => {
    const { url } = await startServer();
    const answer = await fetch(url + cutout, { method: 'POST', body: pictureForm({ colour: 'red' }) });
    expect((await bodyOf(answer)).warnings).toEqual([expect.stringContaining('"colour"')]);
  });

  it('names the field whose value is wrong', async () => {
    const { url, engine } = await startServer();
    const answer = await fetch(url + cutout, { method: 'POST', body: pictureForm({ format: 'bmp' }) });
    expect(answer.status).toBe(400);
    expect(await errorOf(answer)).toMatchObject({ type: 'invalid_request_error', param: 'format' });
    expect(await engine.stored()).toEqual([]);
  });

  it('answers 429 with Retry-After when the queue is full', async () => {
    const { url } = await startServer({ settings: { DARKROOM_MAX_QUEUE: '1' } });
    await fetch(url + cutout, { method: 'POST', body: pictureForm() });
    const answer = await fetch(url + cutout, { method: 'POST', body: pictureForm() });
    expect(answer.status).toBe(429);
    expect(answer.headers.get('retry-after')).toBe('5');
    expect(answer.headers.get('x-should-retry')).toBe('true');
    expect(await errorOf(answer)).toMatchObject({ code: 'rate_limit_exceeded', type: 'rate_limit_error' });
  });

  it('begins every URL with PUBLIC_BASE_URL where it is set', async () => {
    const { url } = await startServer({ publicBaseUrl: 'https://media.example.com' });
    const answer = await fetch(url + cutout, { method: 'POST', body: pictureForm() });
    expect(answer.headers.get('location')).toMatch(/^https:\/\/media\.example\.com\/api\/generate\/status\/bgrm_/);
  });
});

describe('Idempotency-Key', () => {
  const send = (url: string, key: string, fields: Record<string, string> = {}) =>
    fetch(url + cutout, { method: 'POST', body: pictureForm(fields), headers: { 'Idempotency-Key': key } });

  it('gives the same job and the very same body again, even when the job has ended since', async () => {
    const { url, engine } = await startServer();
    const first = await send(url, 'order-1');
    await (await engine.begin()).finish(picture);
    const second = await send(url, 'order-1');
    expect(second.status).toBe(202);
    expect(await second.text()).toBe(await first.text());
    expect(first.headers.get('idempotent-replayed')).toBeNull();
    expect(second.headers.get('idempotent-replayed')).toBe('true');
  });

  it('keeps nothing of the files of a replay', async () => {
    const { url, engine } = await startServer();
    await send(url, 'order-1');
    const stored = await engine.stored();
    await send(url, 'order-1');
    expect(await engine.stored()).toEqual(stored);
  });

  it('refuses the same key with other params', async () => {
    const { url } = await startServer();
    await send(url, 'order-1');
    const other = await send(url, 'order-1', { format: 'webp' });
    expect(other.status).toBe(400);
    expect(await errorOf(other)).toMatchObject({ code: 'idempotency_key_reuse' });
  });
});

describe('GET /api/generate/status/{id}', () => {
  it('follows a job from PENDING over PROCESSING to COMPLETED', async () => {
    const { url, engine } = await startServer();
    const { id } = await bodyOf(fetch(url + cutout, { method: 'POST', body: pictureForm() }));
    const status = () => bodyOf(fetch(`${url}/api/generate/status/${id}`));
    expect(await status()).toMatchObject({ status: 'PENDING', progress: 0, stage: null });
    const job = await engine.begin();
    await job.progress(0.256);
    expect(await status()).toMatchObject({ status: 'PROCESSING', progress: 25, stage: 'infer' });
    await job.finish(picture);
    const ended = await status();
    expect(ended).toMatchObject({
      status: 'COMPLETED',
      progress: 100,
      stage: null,
      model_actual: 'cutout',
      output_url: expect.stringMatching(new RegExp(`^${url}/output/[0-9a-f]+\\.png$`)),
      data: [{ url: ended.output_url, content_type: 'image/png', width: 8, height: 6 }],
      expired: false,
      error: null,
      warnings: ['A warning of the model'],
      debug: { device: 'cpu', stage_ms: { infer: 12 } },
      completed_at: expect.stringMatching(/Z$/),
    });
    expect(await (await fetch(ended.output_url)).text()).toBe(picture.toString());
  });

  it('tells why a job failed, in the codes of the public API', async () => {
    const { url, engine } = await startServer();
    const ending = async (code: 'timeout' | 'model_unavailable' | 'invalid_input') => {
      const { id } = await bodyOf(fetch(url + cutout, { method: 'POST', body: pictureForm() }));
      await (await engine.begin()).fail(code, `It was ${code}`);
      return bodyOf(fetch(`${url}/api/generate/status/${id}`));
    };
    expect(await ending('timeout')).toMatchObject({
      status: 'FAILED',
      error: { message: 'It was timeout', type: 'server_error', code: 'generation_timeout' },
    });
    expect((await ending('model_unavailable')).error).toMatchObject({
      type: 'server_error',
      code: 'generation_failed',
    });
    expect((await ending('invalid_input')).error).toMatchObject({ code: 'invalid_request_error' });
  });

  it('says when the output of a job has expired', async () => {
    let ahead = 0;
    const { url, engine } = await startServer({ now: () => Date.now() + ahead });
    const { id } = await bodyOf(fetch(url + cutout, { method: 'POST', body: pictureForm() }));
    await (await engine.begin()).finish(picture);
    ahead = 8 * 86_400_000;
    expect(await bodyOf(fetch(`${url}/api/generate/status/${id}`))).toMatchObject({
      status: 'COMPLETED',
      expired: true,
      output_url: expect.stringContaining('/output/'),
    });
  });

  it('carries the model that served and the device as headers', async () => {
    const { url, engine } = await startServer();
    const { id } = await bodyOf(fetch(url + cutout, { method: 'POST', body: pictureForm() }));
    await (await engine.begin()).finish(picture);
    const { headers } = await fetch(`${url}/api/generate/status/${id}`);
    expect([headers.get('x-model-actual'), headers.get('x-device')]).toEqual(['cutout', 'cpu']);
    expect(headers.get('x-poll-interval')).toBeNull();
    expect(headers.get('cache-control')).toBe('no-store');
  });

  it('answers 404 for an unknown id', async () => {
    const { url } = await startServer();
    const answer = await fetch(`${url}/api/generate/status/bgrm_none`);
    expect(answer.status).toBe(404);
    expect(await errorOf(answer)).toMatchObject({ code: 'not_found', type: 'invalid_request_error', param: 'id' });
  });
});

describe('POST /api/generate/{id}/cancel', () => {
  it('cancels a waiting job, and again without harm', async () => {
    const { url } = await startServer();
    const { id } = await bodyOf(fetch(url + cutout, { method: 'POST', body: pictureForm() }));
    for (let times = 0; times < 2; times++) {
      const answer = await fetch(`${url}/api/generate/${id}/cancel`, { method: 'POST' });
      expect(answer.status).toBe(200);
      expect(await bodyOf(answer)).toMatchObject({ id, status: 'CANCELED', output_url: null });
    }
  });

  it('answers 404 for an unknown id', async () => {
    const { url } = await startServer();
    const answer = await fetch(`${url}/api/generate/bgrm_none/cancel`, { method: 'POST' });
    expect(answer.status).toBe(404);
    await errorOf(answer);
  });
});

describe('jobs of different keys', () => {
  it('are strangers to one another', async () => {
    const { url, engine } = await startServer({ auth: 'required' });
    const [mine, theirs] = [await engine.keys.create('mine'), await engine.keys.create('theirs')];
    const as = ({ secret }: { secret: string }) => ({ Authorization: `Bearer ${secret}` });
    const { id } = await bodyOf(fetch(url + cutout, { method: 'POST', body: pictureForm(), headers: as(mine) }));
    expect((await fetch(`${url}/api/generate/status/${id}`, { headers: as(mine) })).status).toBe(200);
    expect((await fetch(`${url}/api/generate/status/${id}`, { headers: as(theirs) })).status).toBe(404);
    expect((await fetch(`${url}/api/generate/status/${id}/events`, { headers: as(theirs) })).status).toBe(404);
    const cancelled = await fetch(`${url}/api/generate/${id}/cancel`, { method: 'POST', headers: as(theirs) });
    expect(cancelled.status).toBe(404);
    expect((await engine.get(id)).state).toBe('queued');
  });
});
