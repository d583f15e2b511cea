import { describe, expect, it } from 'vitest';
import { bodyOf, pictureForm, readableLog, startServer, until } from './harness.js';

describe('every answer', () => {
  it('carries a request id: the caller’s own if it is a plain one', async () => {
    const { url } = await startServer();
    const idFor = async (id?: string) =>
      (await fetch(`${url}/none`, id === undefined ? {} : { headers: { 'x-request-id': id } })).headers.get(
        'x-request-id',
      );
    expect(await idFor()).toMatch(/^req_[0-9a-f]{24}$/);
    expect(await idFor('order:17.a_b-c')).toBe('order:17.a_b-c');
    expect(await idFor('"}{')).toMatch(/^req_/);
    expect(await idFor('x'.repeat(101))).toMatch(/^req_/);
  });

  it('has one line in the log, with the ids of request and job and without the query', async () => {
    const { log, lines } = readableLog('info');
    const { url } = await startServer({ log });
    const submitted = await fetch(`${url}/api/generate/background-removal?token=secret`, {
      method: 'POST',
      body: pictureForm(),
    });
    const { id } = await bodyOf(submitted);
    await fetch(`${url}/health`);
    const line = await until(() => lines.find(({ msg }) => msg === 'Request ended'));
    expect(line).toMatchObject({
      request_id: submitted.headers.get('x-request-id'),
      job: id,
      method: 'POST',
      path: '/api/generate/background-removal',
      status: 202,
      broken_off: false,
    });
    expect(lines).toHaveLength(1);
  });
});

describe('close', () => {
  it('ends event streams and takes no more connections', async () => {
    const { url, server } = await startServer();
    const { id } = await bodyOf(
      fetch(`${url}/api/generate/background-removal`, { method: 'POST', body: pictureForm() }),
    );
    const events = await fetch(`${url}/api/generate/status/${id}/events`);
    const text = events.text();
    await server.close();
    expect(await text).toContain('PENDING');
    await expect(fetch(`${url}/health`)).rejects.toThrow();
  });

  it('does not wait for clients that never finish', async () => {
    const { url, server } = await startServer();
    const endless = new ReadableStream({ pull: () => new Promise(() => {}) });
    const init = {
      method: 'POST',
      body: endless,
      duplex: 'half',
      headers: { 'Content-Type': 'multipart/form-data; boundary=x' },
    };
    const request = fetch(`${url}/api/generate/background-removal`, init as RequestInit).catch(
      (error: Error) => error.name,
    );
    await until(async () => (await fetch(`${url}/health`)).ok);
    await server.close(50);
    expect(await request).toBe('TypeError');
  });
});

describe('listen', () => {
  it('rejects when the port is taken', async () => {
    const { port } = await startServer();
    const other = await startServer();
    await other.server.close();
    await expect(other.server.listen(port, '127.0.0.1')).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });
});
