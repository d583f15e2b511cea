import { describe, expect, it } from 'vitest';
import { errorOf, sendRaw, startServer } from '../harness.js';

describe('a path or method that there is not', () => {
  it('is answered with 404 and what there is', async () => {
    const { url } = await startServer();
    const answer = await fetch(`${url}/api/generate/voodoo`, { method: 'POST' });
    expect(answer.status).toBe(404);
    const { message, code } = await errorOf(answer);
    expect(code).toBe('not_found');
    expect(message).toContain('There is no POST /api/generate/voodoo');
    expect(message).toContain('POST /api/generate/background-removal');
  });

  it('is answered with 405 and the methods of the path', async () => {
    const { url } = await startServer();
    const answer = await fetch(`${url}/api/generate/background-removal`);
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST']);
    expect(await errorOf(answer)).toMatchObject({ code: 'method_not_allowed', type: 'invalid_request_error' });
  });

  it.each(['TRACE', 'OPTIONS', 'DELETE', 'PROPFIND'])('is answered with 405 for %s', async (method) => {
    const { port } = await startServer();
    const answer = await sendRaw(port, `${method} /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
    expect(answer.status).toBe(405);
    expect(answer.headers).toMatch(/^Allow: HEAD, GET$/im);
    expect((await errorOf(answer)).code).toBe('method_not_allowed');
  });

  it('gives no other origin leave to read', async () => {
    const { url } = await startServer();
    const answer = await fetch(`${url}/health`);
    expect([...answer.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
  });
});
