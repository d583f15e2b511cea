import { randomBytes } from 'node:crypto';
import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { bodyOf, errorOf, picture, pictureForm, startServer, type TestServer, until } from '../harness.js';

interface ImageAnswer {
  created: number;
  data: { url?: string; b64_json?: string }[];
  warnings: string[];
}

const cutout = '/v1/images/background-removal';

/** Ends the next job that comes with these bytes. */
async function finishNext({ engine }: TestServer, bytes = picture, format: 'png' | 'webp' = 'png'): Promise<void> {
  await (await engine.begin()).finish(bytes, format);
}

const post = ({ url }: TestServer, init: RequestInit & { fields?: Record<string, string> } = {}, path = cutout) =>
  fetch(url + path, { method: 'POST', body: pictureForm(init.fields), ...init });

describe('POST /v1/images/<twin>', () => {
  it('waits for the job and answers in the OpenAI image shape', async () => {
    const test = await startServer();
    const [answer] = await Promise.all([post(test), finishNext(test)]);
    const body = await bodyOf<ImageAnswer>(answer);
    expect(answer.status).toBe(200);
    expect(body).toMatchObject({ created: expect.any(Number), data: [{ url: expect.stringContaining('/output/') }] });
    expect(Math.abs(body.created - Date.now() / 1000)).toBeLessThan(60);
    expect(await (await fetch(body.data[0]?.url ?? '')).text()).toBe(picture.toString());
    expect(answer.headers.get('x-model-actual')).toBe('cutout');
    expect(answer.headers.get('x-failover-used')).toBe('false');
    expect(answer.headers.get('x-poll-interval')).toBeNull();
  });

  it('answers on every path of an operation', async () => {
    const test = await startServer();
    for (const path of ['/v1/images/remove-background', '/v1/images/upscale']) {
      const [answer] = await Promise.all([post(test, {}, path), finishNext(test)]);
      expect([path, answer.status]).toEqual([path, 200]);
    }
  });

  it('answers with base64 when it is asked to, whatever the size', async () => {
    const test = await startServer();
    for (const length of [0, 1, 2, 3, 200_000, 200_001]) {
      const bytes = randomBytes(length);
      const form = post(test, { fields: { response_format: 'b64_json' } });
      const [answer] = await Promise.all([form, finishNext(test, bytes)]);
      const { data, warnings } = await bodyOf<ImageAnswer>(answer);
      expect(Buffer.from(data[0]?.b64_json ?? '', 'base64').equals(bytes)).toBe(true);
      expect(warnings).toEqual(['A warning of the model']);
    }
  });

  it('answers with the bytes for Accept: image/*', async () => {
    const test = await startServer();
    const request = post(test, { headers: { Accept: 'image/*' } });
    const [answer] = await Promise.all([request, finishNext(test, picture, 'webp')]);
    expect(answer.headers.get('content-type')).toBe('image/webp');
    expect(answer.headers.get('content-length')).toBe(String(picture.length));
    expect(await answer.text()).toBe(picture.toString());
  });

  it.each(['*/*', 'application/json', 'text/html'])('answers with JSON for Accept: %s', async (Accept) => {
    const test = await startServer();
    const [answer] = await Promise.all([post(test, { headers: { Accept } }), finishNext(test)]);
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
  });

  it('refuses another response_format before there is a job', async () => {
    const test = await startServer();
    const answer = await post(test, { fields: { response_format: 'bmp' } });
    expect(answer.status).toBe(400);
    expect(await errorOf(answer)).toMatchObject({ param: 'response_format' });
    expect(await test.engine.stored()).toEqual([]);
  });

  it('turns a failed job into the matching HTTP error, not to be repeated', async () => {
    const test = await startServer();
    const failing = async (code: 'timeout' | 'model_unavailable' | 'invalid_input', param?: string) => {
      const [answer] = await Promise.all([
        post(test),
        test.engine.begin().then((attempt) => attempt.fail(code, `It was ${code}`, param)),
      ]);
      expect(answer.headers.get('x-should-retry')).toBe('false');
      return [answer.status, await errorOf(answer)] as const;
    };
    expect(await failing('timeout')).toEqual([
      504,
      { message: 'It was timeout', type: 'server_error', code: 'generation_timeout', param: null },
    ]);
    expect(await failing('model_unavailable')).toMatchObject([503, { code: 'generation_failed' }]);
    expect(await failing('invalid_input', 'image')).toMatchObject([
      400,
      { code: 'invalid_request_error', param: 'image' },
    ]);
  });

  it('says so when the job is cancelled by somebody else', async () => {
    const test = await startServer();
    const waiting = post(test);
    const { job } = await test.engine.begin();
    await test.engine.cancel(job.id);
    const answer = await waiting;
    expect([answer.status, (await errorOf(answer)).code]).toEqual([400, 'cancelled']);
  });

  it('cancels the job of a client that leaves', async () => {
    const test = await startServer();
    const leaving = new AbortController();
    const waiting = post(test, { signal: leaving.signal }).catch((error: Error) => error.name);
    await until(async () => (await test.engine.status()).queue.states.queued > 0);
    leaving.abort();
    expect(await waiting).toBe('AbortError');
    await until(async () => (await test.engine.status()).queue.states.cancelled === 1);
  });

  it('lets the job of a client with an Idempotency-Key go on, and gives it the result when it comes back', async () => {
    const test = await startServer();
    const headers = { 'Idempotency-Key': 'order-1' };
    const leaving = new AbortController();
    const waiting = post(test, { headers, signal: leaving.signal }).catch((error: Error) => error.name);
    await until(async () => (await test.engine.status()).queue.states.queued > 0);
    leaving.abort();
    expect(await waiting).toBe('AbortError');
    const back = post(test, { headers });
    await finishNext(test);
    const answer = await back;
    expect(answer.status).toBe(200);
    expect(answer.headers.get('idempotent-replayed')).toBe('true');
    const again = await post(test, { headers });
    expect(await again.text()).toBe(await answer.text());
  });

  it('lets two callers with the same key wait for one job', async () => {
    const test = await startServer();
    const headers = { 'Idempotency-Key': 'order-1' };
    const both = Promise.all([post(test, { headers }), post(test, { headers })]);
    await finishNext(test);
    const ids = (await both).map((answer) => answer.headers.get('x-job-id'));
    expect(ids[0]).toBe(ids[1]);
    expect((await test.engine.status()).queue.states.completed).toBe(1);
  });

  it('tells who waits when the server stops, and where the job will be', async () => {
    const test = await startServer();
    const waiting = post(test);
    await until(async () => (await test.engine.status()).queue.states.queued > 0);
    await test.server.close();
    const answer = await waiting;
    const { message } = await errorOf(answer);
    expect([answer.status, answer.headers.get('x-should-retry')]).toEqual([429, 'false']);
    expect(message).toContain('/api/generate/status/bgrm_');
  });

  it('serves the OpenAI client', async () => {
    const test = await startServer();
    const client = new OpenAI({ apiKey: 'none needed', baseURL: `${test.url}/v1` });
    const [answer] = await Promise.all([
      client.post<OpenAI.ImagesResponse>('/images/upscale', {
        body: { image: picture.toString('base64'), scale: 4, response_format: 'b64_json' },
      }),
      finishNext(test),
    ]);
    expect(answer.data?.[0]?.b64_json).toBe(picture.toString('base64'));
  });
});
