import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { readConfig } from '#src/engine/config.js';
import { chooseAuth, isLoopbackHost } from '#src/server/auth.js';
import { errorOf, picture, sendRaw, startServer } from './harness.js';

const ask = (port: number, headers: string[], path = '/health') =>
  sendRaw(port, `GET ${path} HTTP/1.1\r\n${[...headers, 'Connection: close'].join('\r\n')}\r\n\r\n`);

describe('chooseAuth', () => {
  it.each([
    [{}, true, 'off'],
    [{}, false, 'required'],
    [{ DARKROOM_AUTH: 'required' }, true, 'required'],
    [{ DARKROOM_AUTH: 'off' }, false, 'off'],
    [{ DARKROOM_HOST: '0.0.0.0' }, true, 'required'],
    [{ DARKROOM_HOST: '::1', DARKROOM_AUTH: 'off' }, false, 'off'],
    [{ DARKROOM_HOST: 'localhost' }, true, 'off'],
  ])('with %j, started locally: %s, is %s', (env, isLocal, mode) => {
    expect(chooseAuth(readConfig(env), isLocal)).toBe(mode);
  });

  it.each(['0.0.0.0', '::', '192.168.1.5', 'media.example.com'])('refuses to be off on %s', (host) => {
    const config = readConfig({ DARKROOM_HOST: host, DARKROOM_AUTH: 'off' });
    expect(() => chooseAuth(config, true)).toThrow(
      /DARKROOM_AUTH=off .* set DARKROOM_HOST=127\.0\.0\.1, or DARKROOM_AUTH=required/,
    );
  });
});

describe('isLoopbackHost', () => {
  it.each(['localhost', 'LOCALHOST', '127.0.0.1', '127.8.9.10', '::1', '[::1]', '::ffff:127.0.0.1'])(
    'takes %s',
    (host) => {
      expect(isLoopbackHost(host)).toBe(true);
    },
  );

  it.each([
    '',
    '0.0.0.0',
    '::',
    '10.0.0.1',
    'localhost.example.com',
    '127.0.0.1.example.com',
    '127.1',
    '2130706433',
    '0x7f.1',
    'localhost.',
  ])('refuses "%s"', (host) => {
    expect(isLoopbackHost(host)).toBe(false);
  });
});

describe('without keys', () => {
  it.each(['localhost', 'localhost:1234', '127.0.0.1:8787', '[::1]:8787', 'LocalHost'])(
    'takes Host: %s',
    async (host) => {
      const { port } = await startServer();
      expect((await ask(port, [`Host: ${host}`])).status).toBe(200);
    },
  );

  it.each([
    'evil.example',
    'localhost.evil.example',
    '169.254.169.254',
    '192.168.0.7:8787',
    '127.0.0.1.nip.io',
    'localhost:80:80',
  ])('refuses Host: %s, as a rebound name would send it', async (host) => {
    const { port } = await startServer();
    const answer = await ask(port, [`Host: ${host}`]);
    expect(answer.status).toBe(403);
    expect(await errorOf(answer)).toMatchObject({ code: 'forbidden', type: 'permission_error', param: 'Host' });
  });

  it('refuses a request without Host', async () => {
    const { port } = await startServer();
    expect((await ask(port, [])).status).toBe(403);
    expect((await sendRaw(port, 'GET /health HTTP/1.0\r\n\r\n')).status).toBe(403);
  });

  it('takes the origin that was asked, and no other', async () => {
    const { port } = await startServer();
    const status = async (origin: string) => (await ask(port, ['Host: localhost:8787', `Origin: ${origin}`])).status;
    expect(await status('http://localhost:8787')).toBe(200);
    for (const origin of [
      'null',
      'https://evil.example',
      'http://localhost',
      'http://localhost:3000',
      'https://localhost:8787',
      'http://127.0.0.1:8787',
    ]) {
      expect([origin, await status(origin)]).toEqual([origin, 403]);
    }
  });

  it.each([
    'Forwarded',
    'X-Forwarded-For',
    'X-Forwarded-Host',
    'X-Forwarded-Proto',
    'X-Forwarded',
    'X-Forwarded-Anything',
    'Via',
    'X-Real-IP',
    'X-Client-IP',
    'X-Cluster-Client-IP',
    'CF-Connecting-IP',
    'True-Client-IP',
    'Fastly-Client-IP',
    'X-Original-Host',
    'X-Original-URL',
    'X-Envoy-External-Address',
    'CDN-Loop',
  ])('refuses what a proxy sends: %s', async (name) => {
    const { port } = await startServer();
    const answer = await ask(port, ['Host: localhost', `${name}: 10.0.0.1`]);
    expect(answer.status).toBe(403);
    const { message, param } = await errorOf(answer);
    expect(param).toBe(name.toLowerCase());
    expect(message).toContain('set DARKROOM_AUTH=required and send an API key');
  });

  it('finds the header of a proxy behind any number of others', async () => {
    const { port } = await startServer();
    const many = Array.from({ length: 150 }, (_, n) => `x-${n}: y`);
    const answer = await ask(port, ['Host: localhost', ...many, 'X-Forwarded-For: 10.0.0.1']);
    expect(answer.status).toBe(431);
    expect((await errorOf(answer)).code).toBe('headers_too_large');
  });

  it('guards everything, outputs and metrics too', async () => {
    const { port } = await startServer();
    for (const path of ['/health', '/ready', '/metrics', '/output/none.png', '/v1/models', '/none']) {
      expect([path, (await ask(port, ['Host: evil.example'], path)).status]).toEqual([path, 403]);
    }
  });
});

describe('with keys', () => {
  const clientOf = (url: string, apiKey: string) => new OpenAI({ apiKey, baseURL: `${url}/v1`, maxRetries: 0 });

  it('lets a valid key in, and shows others an authentication error that the OpenAI client knows', async () => {
    const { url, engine } = await startServer({ auth: 'required' });
    const { secret } = await engine.keys.create('test');
    expect((await clientOf(url, secret).models.list()).data).not.toEqual([]);
    const refused = await clientOf(url, 'wrong')
      .models.list()
      .catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(OpenAI.AuthenticationError);
    expect(refused).toMatchObject({
      status: 401,
      code: 'authentication_error',
      type: 'authentication_error',
      param: null,
    });
  });

  it.each([
    [],
    ['Authorization: Basic dXNlcg=='],
    ['Authorization: Bearer'],
    ['Authorization: Bearer a b'],
    [`Authorization: Bearer ${'x'.repeat(5000)}`],
  ])('refuses %s', async (...headers) => {
    const { port } = await startServer({ auth: 'required' });
    const answer = await ask(port, ['Host: media.example.com', ...headers], '/v1/models');
    expect(answer.status).toBe(401);
    expect(answer.headers).toMatch(/^WWW-Authenticate: Bearer$/im);
    expect((await errorOf(answer)).code).toBe('authentication_error');
  });

  it('takes any host and what a proxy adds', async () => {
    const { port } = await startServer({ auth: 'required' });
    const answer = await ask(port, ['Host: media.example.com', 'X-Forwarded-For: 10.0.0.1']);
    expect(answer.status).toBe(200);
  });

  it('shows every failure as the class that the OpenAI client has for it', async () => {
    const { url, engine } = await startServer({ auth: 'required', settings: { DARKROOM_MAX_QUEUE: '1' } });
    const { secret } = await engine.keys.create('test');
    const client = clientOf(url, secret);
    const image = picture.toString('base64');
    const failure = (path: string, body: object) => client.post(path, { body }).catch((error: unknown) => error);
    expect(await failure('/images/upscale', { image, format: 'bmp' })).toBeInstanceOf(OpenAI.BadRequestError);
    expect(await failure('/images/upscale', {})).toMatchObject({ status: 400, param: 'image' });
    expect(await failure('/images/none', {})).toBeInstanceOf(OpenAI.NotFoundError);
    await fetch(`${url}/api/generate/super-resolution`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${secret}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ image }),
    });
    expect(await failure('/images/upscale', { image })).toBeInstanceOf(OpenAI.RateLimitError);
  });
});
