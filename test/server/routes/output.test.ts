import { randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { newBlobId } from '#src/engine/blobs/blob-id.js';
import { bodyOf, errorOf, pictureForm, sendRaw, startServer, type TestServer } from '../harness.js';

const bytes = randomBytes(1000);
let test: TestServer;
let output: string;

beforeEach(async () => {
  test = await startServer();
  const submitted = await fetch(`${test.url}/api/generate/background-removal`, { method: 'POST', body: pictureForm() });
  await (await test.engine.begin()).finish(bytes);
  const { id } = await bodyOf(submitted);
  output = (await bodyOf(fetch(`${test.url}/api/generate/status/${id}`))).output_url ?? '';
});

const get = (headers: Record<string, string> = {}, method = 'GET') => fetch(output, { method, headers });
const bytesOf = async (answer: Response) => Buffer.from(await answer.arrayBuffer());

describe('GET /output/{id}', () => {
  it('gives the bytes, typed and cacheable for as long as they are kept', async () => {
    const answer = await get();
    expect(answer.status).toBe(200);
    expect(await bytesOf(answer)).toEqual(bytes);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'image/png',
      'content-length': '1000',
      'accept-ranges': 'bytes',
      'content-disposition': 'inline',
      'x-content-type-options': 'nosniff',
      etag: expect.stringMatching(/^"[0-9a-f]{64}"$/),
      'last-modified': expect.stringContaining('GMT'),
    });
    const [, seconds] = /^public, max-age=(\d+), immutable$/.exec(answer.headers.get('cache-control') ?? '') ?? [];
    expect(Number(seconds)).toBeGreaterThan(7 * 86_400 - 60);
    expect(Number(seconds)).toBeLessThanOrEqual(7 * 86_400);
  });

  it('says the same of itself for HEAD, without a body', async () => {
    const answer = await get({}, 'HEAD');
    expect([answer.status, answer.headers.get('content-length')]).toEqual([200, '1000']);
    expect(await bytesOf(answer)).toHaveLength(0);
  });

  it('answers 304 to who has it already', async () => {
    const etag = (await get()).headers.get('etag') ?? '';
    for (const known of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const answer = await get({ 'If-None-Match': known });
      expect([known, answer.status, (await bytesOf(answer)).length]).toEqual([known, 304, 0]);
    }
    expect((await get({ 'If-None-Match': '"other"' })).status).toBe(200);
    const since = (await get()).headers.get('last-modified') ?? '';
    expect((await get({ 'If-Modified-Since': since })).status).toBe(304);
    expect((await get({ 'If-Modified-Since': 'Thu, 01 Jan 1970 00:00:00 GMT' })).status).toBe(200);
    expect((await get({ 'If-Modified-Since': 'yesterday' })).status).toBe(200);
  });

  it.each([
    ['bytes=0-99', 0, 99],
    ['bytes=100-', 100, 999],
    ['bytes=-10', 990, 999],
    ['bytes=-5000', 0, 999],
    ['bytes=990-5000', 990, 999],
    ['bytes=999-999', 999, 999],
  ])('gives the part for Range: %s', async (range, start, end) => {
    const answer = await get({ Range: range });
    expect(answer.status).toBe(206);
    expect(answer.headers.get('content-range')).toBe(`bytes ${start}-${end}/1000`);
    expect(answer.headers.get('content-length')).toBe(String(end - start + 1));
    expect(await bytesOf(answer)).toEqual(bytes.subarray(start, end + 1));
  });

  it.each(['bytes=1000-', 'bytes=-0', 'bytes=5000-6000'])('refuses Range: %s with 416 and the size', async (range) => {
    const answer = await get({ Range: range });
    expect([answer.status, answer.headers.get('content-range')]).toEqual([416, 'bytes */1000']);
    expect(await errorOf(answer)).toMatchObject({ code: 'range_not_satisfiable' });
  });

  it.each(['bytes=5-1', 'bytes=a-b', 'bytes=0-1,5-6', 'lines=1-2', 'bytes=-', 'bytes='])(
    'ignores what is no range of ours: %s',
    async (range) => {
      const answer = await get({ Range: range });
      expect([answer.status, (await bytesOf(answer)).length]).toEqual([200, 1000]);
    },
  );

  it('gives the part only if it is still of the same whole', async () => {
    const { headers } = await get();
    const part = (condition: string) => get({ Range: 'bytes=0-9', 'If-Range': condition });
    expect((await part(headers.get('etag') ?? '')).status).toBe(206);
    expect((await part(headers.get('last-modified') ?? '')).status).toBe(206);
    expect((await part('"other"')).status).toBe(200);
    expect((await part(`W/${headers.get('etag')}`)).status).toBe(200);
  });

  it('is gone after its time', async () => {
    const longAgo = newBlobId('png', Date.now() - 8 * 86_400_000);
    const answer = await fetch(`${test.url}/output/${longAgo}`);
    expect(answer.status).toBe(410);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(await errorOf(answer)).toMatchObject({ code: 'gone', type: 'invalid_request_error' });
  });

  it.each([
    '/output/none.png',
    '/output/..%2f..%2fetc%2fpasswd',
    '/output/%2e%2e%2fdarkroom.db',
    '/output/..%5c..%5cwindows.ini',
    '/output/a%00.png',
    '/output/....//....//etc/passwd',
    '/output//etc/passwd',
    '/output/%2Fetc%2Fpasswd',
    '/output/../package.json',
    '/output/%E0%A4%A.png',
    '/output/',
  ])('finds nothing under %s', async (path) => {
    const answer = await sendRaw(test.port, `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
    expect(answer.status).toBe(404);
    expect((await errorOf(answer)).code).toBe('not_found');
  });

  it('needs no key', async () => {
    const guarded = await startServer({ auth: 'required' });
    expect((await fetch(`${guarded.url}/output/none.png`)).status).toBe(404);
  });
});
