import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { bodyOf, errorOf, pictureForm, sendRaw, startServer, until } from './harness.js';

describe('a connection that breaks the protocol', () => {
  it('is told so in the shape of every other error', async () => {
    const { port } = await startServer();
    const answer = await sendRaw(port, 'NONSENSE\r\n\r\n');
    expect(answer.status).toBe(400);
    expect(answer.headers).toMatch(/^x-request-id: req_[0-9a-f]{24}$/m);
    expect(await errorOf(answer)).toMatchObject({ type: 'invalid_request_error', code: 'invalid_request_error' });
  });

  it('with headers too long gets 431', async () => {
    const { port } = await startServer();
    const answer = await sendRaw(
      port,
      `GET /health HTTP/1.1\r\nHost: localhost\r\nX-Long: ${'a'.repeat(20_000)}\r\n\r\n`,
    );
    expect(answer.status).toBe(431);
    expect((await errorOf(answer)).code).toBe('headers_too_large');
  });

  it('that asks for a tunnel gets 405', async () => {
    const { port } = await startServer();
    const answer = await sendRaw(port, 'CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n');
    expect(answer.status).toBe(405);
    expect((await errorOf(answer)).message).toBe('This server is not a proxy');
  });

  it.each([
    ['two lengths', 'Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}'],
    ['a length and chunks', 'Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['a line feed in a header', 'X-A: b\nX-Forwarded-For: c\r\n\r\n'],
    ['an unknown encoding', 'Transfer-Encoding: cow\r\n\r\n'],
  ])('with %s is refused', async (_name, rest) => {
    const { port } = await startServer();
    const answer = await sendRaw(port, `POST /api/generate/background-removal HTTP/1.1\r\nHost: localhost\r\n${rest}`);
    expect(answer.status).toBe(400);
    await errorOf(answer);
  });

  it.each(['http://[', 'http://localhost:99999999/health', '*', 'example.com'])(
    'with %s for a path gets an error and not a failure',
    async (target) => {
      const { port } = await startServer();
      const answer = await sendRaw(port, `GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
      expect([400, 404]).toContain(answer.status);
      await errorOf(answer);
    },
  );

  it('that expects what we do not know is served all the same', async () => {
    const { port } = await startServer();
    const request = 'GET /health HTTP/1.1\r\nHost: localhost\r\nExpect: wonders\r\nConnection: close\r\n\r\n';
    expect((await sendRaw(port, request)).status).toBe(200);
  });

  it('with a whole address for a path is served', async () => {
    const { port } = await startServer();
    const answer = await sendRaw(
      port,
      `GET http://localhost/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
    );
    expect(answer.status).toBe(200);
  });

  it('with a Host that is none gets 400', async () => {
    const { port } = await startServer({ auth: 'required' });
    const answer = await sendRaw(port, 'GET /health HTTP/1.1\r\nHost: a"><script>\r\nConnection: close\r\n\r\n');
    expect(answer.status).toBe(400);
    expect((await errorOf(answer)).param).toBe('Host');
  });
});

describe('a connection that takes its time', () => {
  const impatient = { headersTimeoutMs: 100, requestTimeoutMs: 200, checkEveryMs: 20 };

  it('over its headers gets 408', async () => {
    const { port } = await startServer({ connections: impatient });
    const answer = await sendRaw(port, 'GET /health HTTP/1.1\r\nHost: localhost\r\nX-Slow: ');
    expect(answer.status).toBe(408);
    expect((await errorOf(answer)).code).toBe('request_timeout');
  });

  it('over its upload gets 408, and nothing of the upload is kept', async () => {
    const { port, engine } = await startServer({ connections: impatient });
    const answer = await sendRaw(
      port,
      'POST /api/generate/background-removal HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=x\r\n' +
        'Content-Length: 100000\r\n\r\n--x\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\nslow',
    );
    expect(answer.status).toBe(408);
    await until(async () => (await engine.stored()).length === 0);
  });

  it('is not closed while a long answer is under way', async () => {
    const { url } = await startServer({ connections: impatient, heartbeatMs: 20 });
    // On a busy machine even a short upload can take longer than this server likes.
    const id = await until(async () => {
      const init = { method: 'POST', body: pictureForm() };
      const submitted = await fetch(`${url}/api/generate/background-removal`, init).catch(() => null);
      return submitted?.status === 202 && (await bodyOf(submitted)).id;
    });
    const answer = await fetch(`${url}/api/generate/status/${id}/events`);
    let beats = 0;
    for await (const chunk of answer.body as unknown as AsyncIterable<Uint8Array>) {
      beats += Buffer.from(chunk).toString().split(': still here').length - 1;
      if (beats > 20) break;
    }
    expect(beats).toBeGreaterThan(20);
  });
});

describe('a body that nobody wants', () => {
  it('is read on for a while, so that the client can hear the answer, and then cut off', async () => {
    const { port } = await startServer();
    const chunk = Buffer.alloc(65_536);
    let sent = 0;
    const head = 'POST /api/generate/super-resolution HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n';
    const answer = await sendRaw(port, `${head}Content-Length: 9000000000\r\n\r\n`, (socket) => {
      const pump = () => {
        while (!socket.destroyed && socket.write(chunk)) sent += chunk.length;
      };
      socket.on('drain', pump);
      pump();
    });
    expect(answer.status).toBe(415);
    expect((await errorOf(answer)).code).toBe('unsupported_media_type');
    expect(sent).toBeLessThan(100_000_000);
  });

  it('leaves the connection usable when it is short', async () => {
    const { port } = await startServer();
    const refused = 'POST /none HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello';
    const next = 'GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';
    const answer = await sendRaw(port, refused + next);
    expect(answer.headers).toMatch(/^HTTP\/1\.1 404 /);
    expect(answer.body).toContain('HTTP/1.1 200 OK');
  });
});

describe('connections', () => {
  it('are no more than the limit', async () => {
    const { port } = await startServer({ connections: { connections: 2 } });
    const held = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1')];
    await Promise.all(held.map((socket) => new Promise((resolve) => socket.once('connect', resolve))));
    await until(async () => (await sendRaw(port, 'GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n')).status === 0);
    held[0]?.destroy();
    await until(async () => {
      const answer = await sendRaw(port, 'GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
      return answer.status === 200;
    });
    held[1]?.destroy();
  });
});
