import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createApi, openOwnFile, retryAfter } from '#src/engine/providers/http.js';

interface Reply {
  status: number;
  headers?: Record<string, string>;
  body?: string;
}

async function service(reply: Reply) {
  const authorizations: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    authorizations.push(request.headers.authorization);
    request.resume();
    response.writeHead(reply.status, reply.headers).end(reply.body);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const options = {
    provider: { title: 'The service' },
    baseUrl,
    authorize: () => ({ authorization: 'Bearer s3cret-key' }),
    signal: new AbortController().signal,
  };
  return { baseUrl, authorizations, options, api: createApi(options) };
}

const post = { method: 'POST', path: '/jobs', json: {} } as const;
const get = { method: 'GET', path: '/jobs/1' } as const;

describe('an answer', () => {
  it.each([
    [400, 'invalid', 'invalid'],
    [422, 'invalid', 'invalid'],
    [401, 'auth', 'auth'],
    [403, 'auth', 'auth'],
    [404, 'auth', 'auth'],
    [302, 'auth', 'auth'],
    [402, 'budget', 'budget'],
    [413, 'unfit', 'unfit'],
    [429, 'capacity', 'capacity'],
    [408, 'unknown', 'transient'],
    [500, 'unknown', 'transient'],
    [502, 'unknown', 'transient'],
    [503, 'transient', 'transient'],
    [504, 'unknown', 'transient'],
  ])('with status %i is %s for a submission, %s for a question', async (status, submission, question) => {
    const { api } = await service({ status });
    await expect(api.send(post)).rejects.toMatchObject({ kind: submission, details: { upstreamCode: String(status) } });
    await expect(api.send(get)).rejects.toMatchObject({ kind: question });
  });

  it('says when to come back, and what the service said', async () => {
    const { api } = await service({
      status: 429,
      headers: { 'retry-after': '12' },
      body: '{"error":{"message":"Slow down"}}',
    });
    await expect(api.send(post)).rejects.toMatchObject({
      message: 'The service answered with status 429: Slow down',
      details: { retryAfterMs: 12_000 },
    });
  });

  it('that never comes since nobody listens was never sent', async () => {
    const { options } = await service({ status: 200 });
    const api = createApi({ ...options, baseUrl: 'http://127.0.0.1:1' });
    await expect(api.send(post)).rejects.toMatchObject({
      kind: 'transient',
      message: expect.stringContaining('ECONNREFUSED'),
    });
  });
});

describe('the key', () => {
  it('goes to the service alone', async () => {
    const { api, authorizations } = await service({ status: 200, body: '{}' });
    const other = await service({ status: 200, body: '{}' });
    await api.send(get);
    expect(authorizations).toEqual(['Bearer s3cret-key']);
    await expect(api.send({ ...get, path: `${other.baseUrl}/jobs/1` })).rejects.toThrow(
      'an address that is not its own',
    );
    expect(other.authorizations).toEqual([]);
  });

  it('is not repeated, not even when the service does', async () => {
    const { api } = await service({ status: 401, body: '{"message":"Wrong key: s3cret-key"}' });
    await expect(api.send(get)).rejects.toThrow('The service answered with status 401: Wrong key: …');
  });

  it('is not taken along to where a file is said to lie', async () => {
    const { options } = await service({ status: 302, headers: { location: 'https://elsewhere.example/clip.mp4' } });
    expect(await openOwnFile('/files/1', { ...options, maxBytes: 10 })).toEqual({
      location: 'https://elsewhere.example/clip.mp4',
    });
  });
});

describe('a file of the service', () => {
  it('is cut off when it is too large', async () => {
    const { options } = await service({ status: 200, body: 'x'.repeat(11) });
    const whole = await openOwnFile('/files/1', { ...options, maxBytes: 11 });
    if ('stream' in whole) expect(await text(whole.stream)).toHaveLength(11);
    const cut = await openOwnFile('/files/1', { ...options, maxBytes: 10 });
    if ('stream' in cut) await expect(text(cut.stream)).rejects.toMatchObject({ code: 'too_large' });
    expect('stream' in whole && 'stream' in cut).toBe(true);
  });
});

describe('retryAfter', () => {
  it('reads seconds and dates', () => {
    expect(retryAfter('2')).toBe(2_000);
    expect(retryAfter('Wed, 21 Oct 2026 07:28:10 GMT', Date.parse('2026-10-21T07:28:00Z'))).toBe(10_000);
    expect(retryAfter('Wed, 21 Oct 2026 07:28:00 GMT', Date.parse('2026-10-21T07:29:00Z'))).toBe(0);
    expect([retryAfter(undefined), retryAfter(''), retryAfter('soon')]).toEqual([null, null, null]);
  });
});
