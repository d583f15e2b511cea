import { describe, expect, it } from 'vitest';
import { readConfig } from '#src/engine/config.js';
import { announceFirstKey, listen, shutDown } from '#src/server/lifecycle.js';
import { bodyOf, picture, pictureForm, startServer } from './harness.js';

describe('listen', () => {
  const freeServer = async () => {
    const { server } = await startServer();
    await server.close();
    return server;
  };

  it('takes a free port for 0 and gives its address', async () => {
    const server = await freeServer();
    expect(await listen(server, readConfig({ DARKROOM_PORT: '0' }))).toMatch(/^http:\/\/127\.0\.0\.1:[1-9]\d*$/);
  });

  it('says which setting to change when the port is in use', async () => {
    const { port } = await startServer();
    const server = await freeServer();
    await expect(listen(server, readConfig({ DARKROOM_PORT: String(port) }))).rejects.toThrow(
      `DARKROOM_PORT: ${port} is in use on 127.0.0.1. Stop the program that uses it, or set DARKROOM_PORT to another one`,
    );
  });

  it('says so when the address is not of this machine', async () => {
    const server = await freeServer();
    const config = readConfig({ DARKROOM_HOST: '192.0.2.1', DARKROOM_PORT: '0' });
    await expect(listen(server, config)).rejects.toThrow('DARKROOM_HOST: 192.0.2.1 is not an address of this machine');
  });
});

describe('announceFirstKey', () => {
  it('shows a key that works, the first time only', async () => {
    const { engine } = await startServer();
    const printed: string[] = [];
    const print = (text: string) => printed.push(text);
    await announceFirstKey(engine.keys, print);
    await announceFirstKey(engine.keys, print);
    expect(printed).toHaveLength(1);
    const secret = printed[0]?.trim().split(' ').at(-1) ?? '';
    expect(await engine.keys.verify(secret)).not.toBeNull();
  });
});

describe('shutDown', () => {
  it('lets running jobs end and their callers hear of it, and says on /ready that it stops', async () => {
    const { url, engine, server } = await startServer();
    const waiting = fetch(`${url}/v1/images/upscale`, { method: 'POST', body: pictureForm() });
    const job = await engine.begin();
    const stopped = shutDown({ engine, server, graceMs: 10_000 });
    expect((await fetch(`${url}/ready`)).status).toBe(503);
    expect((await fetch(`${url}/health`)).status).toBe(200);
    await job.finish(picture);
    expect(await bodyOf<{ data: unknown[] }>(waiting)).toMatchObject({ data: [{ url: expect.any(String) }] });
    await stopped;
    await expect(fetch(`${url}/health`)).rejects.toThrow();
  });

  it('waits for running jobs no longer than its grace', async () => {
    const { url, engine, server } = await startServer();
    const waiting = fetch(`${url}/v1/images/upscale`, { method: 'POST', body: pictureForm() });
    await engine.begin();
    await shutDown({ engine, server, graceMs: 1 });
    expect((await waiting).status).toBe(429);
  });

  it('does not wait for jobs that wait', async () => {
    const { url, engine, server } = await startServer();
    await fetch(`${url}/api/generate/super-resolution`, { method: 'POST', body: pictureForm() });
    await shutDown({ engine, server, graceMs: 60_000 });
  });
});
