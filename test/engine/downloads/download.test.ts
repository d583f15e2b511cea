import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server as NetServer, type Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setImmediate } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { createAddressGuard } from '#src/engine/downloads/address-guard.js';
import { createDownloader, createGuardedAgent, type DownloaderOptions } from '#src/engine/downloads/download.js';
import { EngineError } from '#src/engine/errors.js';

const fixture = (name: string) => readFileSync(new URL(`../../fixtures/tls/${name}`, import.meta.url), 'utf8');
const closers: (() => unknown)[] = [];

afterEach(async () => {
  await Promise.all(closers.splice(0).map((close) => close()));
});

describe('a download', () => {
  it('gives the bytes and what the server calls them', async () => {
    const content = Buffer.alloc(300_000, 'picture');
    const { url } = await serve((_request, response) => response.setHeader('content-type', 'image/png').end(content));
    const { stream, contentType } = await open(url);
    expect(contentType).toBe('image/png');
    expect((await buffer(stream)).equals(content)).toBe(true);
  });

  it('tells the server nothing but what it needs to know', async () => {
    const seen: IncomingMessage[] = [];
    const { url, host } = await serve((request, response) => {
      seen.push(request);
      response.setHeader('set-cookie', 'a=b').end();
    });
    const downloader = make();
    for (const path of ['one?size=2#top', 'two']) {
      await buffer((await downloader.open(`${url}${path}`, { param: 'image_url' })).stream);
    }
    expect(seen.map((request) => [request.method, request.url])).toEqual([
      ['GET', '/one?size=2'],
      ['GET', '/two'],
    ]);
    for (const { headers } of seen) {
      expect(headers).toEqual({
        host,
        connection: 'close',
        'user-agent': 'Darkroom',
        accept: '*/*',
        'accept-encoding': 'identity',
      });
    }
  });

  it('names the field that the address came in', async () => {
    const error = await failure(open('ftp://example.com/a.png', {}, { param: 'mask_url' }));
    expect(error).toMatchObject({
      code: 'invalid_input',
      message: 'mask_url: expected an https address, got ftp:',
      details: { param: 'mask_url' },
    });
  });

  describe('over https', () => {
    it('takes a certificate that is trusted and of this name', async () => {
      const { port } = await serveTls((_request, response) => response.end('secret picture'));
      const { stream } = await open(`https://secure.test:${port}/`, { ca: fixture('cert.pem') });
      expect((await buffer(stream)).toString()).toBe('secret picture');
    });

    it.each([
      ['one that nobody trusts', 'secure.test', {}],
      ['one of another name', 'other.test', { ca: fixture('cert.pem') }],
    ])('refuses %s', async (_, host, options) => {
      const requests: string[] = [];
      const { port } = await serveTls((request) => requests.push(request.url ?? ''));
      const error = await failure(open(`https://${host}:${port}/`, options));
      expect(error.message).toBe(`image_url: ${host} has a certificate that is not trusted here`);
      expect(requests).toEqual([]);
    });

    it('says so when the server does not speak it', async () => {
      const { port } = await serve((_request, response) => response.end());
      const error = await failure(open(`https://good.test:${port}/`));
      expect(error.message).toBe('image_url: good.test does not speak TLS');
    });
  });

  describe('to where it may not go', () => {
    it.each([
      'http://127.0.0.1:PORT/',
      'http://localhost:PORT/',
      'http://2130706433:PORT/',
      'http://0x7f000001:PORT/',
      'http://0177.0.0.1:PORT/',
      'http://127.1:PORT/',
      'http://0:PORT/',
      'http://[::1]:PORT/',
      'http://[::ffff:127.0.0.1]:PORT/',
      'http://good.test:PORT@127.0.0.1:PORT/',
      'http://user:secret@good.test:PORT/',
      'http://good.test.evil.test:PORT/',
      'https://127.0.0.1:PORT/',
    ])('is not begun: %s', async (pattern) => {
      const { port, connections } = await serve((_request, response) => response.end());
      const options = { allowHosts: [`good.test:${port}`] };
      const error = await failure(open(pattern.replaceAll('PORT', String(port)), options));
      expect(error).toMatchObject({ code: 'invalid_input', details: { param: 'image_url' } });
      expect(connections).toEqual([]);
    });

    it.each(['', 'picture.png', '//example.com/a.png', 'https://', 'https://exa mple.com/', 'https://[::1/'])(
      'is not begun: %j is no address',
      async (address) => {
        const error = await failure(open(address));
        expect(error.message).toBe(`image_url: expected an https address, got "${address}"`);
      },
    );

    it('says which address a name points to and how to allow it', async () => {
      const error = await failure(open('https://shop.example/a.png', { resolve: async () => ['10.0.0.5'] }));
      expect(error.message).toBe(
        'image_url: shop.example points to 10.0.0.5, a private address; add shop.example to DARKROOM_ALLOW_HOSTS if you trust it',
      );
    });

    it('is not begun when one of several addresses is not allowed', async () => {
      const { port, connections } = await serve((_request, response) => response.end());
      for (const addresses of [
        ['127.0.0.1', '10.0.0.5'],
        ['10.0.0.5', '127.0.0.1'],
        ['127.0.0.1', '::1'],
      ]) {
        const options = { allowHosts: [`127.0.0.1:${port}`], resolve: async () => addresses };
        const error = await failure(open(`http://shop.example:${port}/`, options));
        expect(error.message).toContain('image_url: shop.example points to');
      }
      expect(connections).toEqual([]);
    });

    it('resolves once for each connection and connects to that answer alone', async () => {
      const good = await serve((_request, response) => response.end('good'));
      const inner = await serve((_request, response) => response.end('inner'), { host: '127.0.0.2', port: good.port });
      const answers = [['127.0.0.1'], ['127.0.0.2'], ['127.0.0.1']];
      const resolved: string[] = [];
      const downloader = make({
        allowHosts: [`127.0.0.1:${good.port}`],
        resolve: async (host) => {
          resolved.push(host);
          return answers.shift() ?? [];
        },
      });
      const address = `http://rebinding.test:${good.port}/`;
      const first = await downloader.open(address, { param: 'image_url' });
      expect((await buffer(first.stream)).toString()).toBe('good');
      expect((await failure(downloader.open(address, { param: 'image_url' }))).message).toContain('127.0.0.2');
      const third = await downloader.open(address, { param: 'image_url' });
      expect((await buffer(third.stream)).toString()).toBe('good');
      expect(resolved).toEqual(['rebinding.test', 'rebinding.test', 'rebinding.test']);
      expect(inner.connections).toEqual([]);
    });

    it('tries the next of several allowed addresses when one does not answer', async () => {
      const { port } = await serve((_request, response) => response.end('picture'));
      const resolve = async () => ['127.0.0.3', '127.0.0.1'];
      const { stream } = await open(`http://good.test:${port}/`, { resolve });
      expect((await buffer(stream)).toString()).toBe('picture');
    });
  });

  describe('that is redirected', () => {
    it.each([301, 302, 303, 307, 308])('follows status %i', async (status) => {
      const { url } = await serve((request, response) => {
        if (request.url === '/pictures/new.png') response.end('picture');
        else response.writeHead(status, { location: 'new.png' }).end('moved');
      });
      const { stream } = await open(`${url}pictures/old.png`);
      expect((await buffer(stream)).toString()).toBe('picture');
    });

    it.each([
      [3, 'picture'],
      [4, 'image_url: expected at most 3 redirects, got another one to good.test'],
      [Number.POSITIVE_INFINITY, 'image_url: expected at most 3 redirects, got another one to good.test'],
    ])('follows three times: of %d redirects comes %j', async (redirects, expected) => {
      let requests = 0;
      const { url } = await serve((_request, response) => {
        requests += 1;
        if (requests <= redirects) response.writeHead(302, { location: '/' }).end();
        else response.end('picture');
      });
      const result = await open(url).then(
        async ({ stream }) => (await buffer(stream)).toString(),
        (error: Error) => error.message,
      );
      expect(result).toBe(expected);
      expect(requests).toBe(4);
    });

    it.each([
      ['http://127.0.0.1:PORT/', '127.0.0.1 is an address of this machine itself; add 127.0.0.1:PORT to'],
      ['http://[::ffff:7f00:1]:PORT/', '::ffff:7f00:1 is an address of this machine itself'],
      ['//169.254.169.254/latest', '169.254.169.254 is the metadata service of a cloud'],
      ['https://inner.test/', 'inner.test points to 10.0.0.5, a private address'],
      ['http://public.test/', 'expected an https address, got http://public.test'],
      ['http://good.test:1/', 'expected an https address, got http://good.test; add good.test:1 to'],
      ['https://me@good.test:PORT/', 'expected an address without user name and password'],
      ['file:///etc/passwd', 'expected an https address, got file:'],
      ['data:image/png;base64,QUJD', 'expected an https address, got data:'],
      ['http://', 'expected an https address, got "http://"'],
    ])('looks at the new address too: %s', async (location, message) => {
      const secrets = await serve((_request, response) => response.end('secret'));
      const withPort = (text: string) => text.replace('PORT', String(secrets.port));
      const { url, port } = await serve((_request, response) => {
        response.writeHead(302, { location: withPort(location) }).end();
      });
      const answers: Record<string, string[]> = {
        'good.test': ['127.0.0.1'],
        'inner.test': ['10.0.0.5'],
        'public.test': ['93.184.215.14'],
      };
      const resolve = async (host: string) => answers[host] ?? [];
      const error = await failure(open(url, { allowHosts: [`good.test:${port}`], resolve }));
      expect(error.message).toContain(`image_url: ${withPort(message)}`);
      expect(secrets.connections).toEqual([]);
    });

    it('leaves the first connection at once', async () => {
      const { port } = await serve((_request, response) => response.write('the first half'));
      const { url, connections } = await serve((_request, response) => {
        response.writeHead(302, { location: `http://good.test:${port}/` }).write('moved');
      });
      const { stream } = await open(url);
      await closed(connections);
      expect(stream.destroyed).toBe(false);
    });

    it('says so when there is no new address', async () => {
      const { url } = await serve((_request, response) => response.writeHead(302).end());
      expect((await failure(open(url))).message).toBe('image_url: expected good.test to have the file, got status 302');
    });
  });

  describe('of too many bytes', () => {
    it('is not begun when the server says so', async () => {
      const { url, connections } = await serve((_request, response) => {
        response.writeHead(200, { 'content-length': 2_000_000 });
        response.write('x');
      });
      const error = await failure(open(url, { maxBytes: 1_000_000 }));
      expect(error).toMatchObject({
        code: 'too_large',
        message: 'image_url: expected a file of at most 1 MB, got 2 MB',
        details: { param: 'image_url' },
      });
      await closed(connections);
    });

    it('is cut when the server says nothing, and the connection with it', async () => {
      let sent = 0;
      const { url, connections } = await serve((_request, response) => {
        sent += forever(response, Buffer.alloc(10_000));
        response.on('drain', () => {
          sent += forever(response, Buffer.alloc(10_000));
        });
      });
      const { stream } = await open(url, { maxBytes: 1_000_000 });
      const error = await failure(buffer(stream));
      expect(error).toMatchObject({
        code: 'too_large',
        message: 'image_url: expected a file of at most 1 MB, got more',
      });
      await closed(connections);
      expect(sent).toBeLessThan(100_000_000);
    });

    it('takes exactly as many as allowed', async () => {
      const { url } = await serve((_request, response) => response.end(Buffer.alloc(1000)));
      expect(await buffer((await open(url, { maxBytes: 1000 })).stream)).toHaveLength(1000);
      const error = await failure(open(url, { maxBytes: 999 }));
      expect(error.code).toBe('too_large');
    });

    it.each([
      ['fewer bytes than come', 10],
      ['more bytes than come', 5000],
    ])('believes no Content-Length of %s', async (_, length) => {
      const { port } = await serveRaw((socket) => {
        socket.end(`HTTP/1.1 200 OK\r\ncontent-length: ${length}\r\n\r\n${'x'.repeat(1000)}`);
      });
      const result = await open(`http://good.test:${port}/`, { maxBytes: 10_000 })
        .then(({ stream }) => buffer(stream))
        .then(
          (bytes) => bytes.length,
          (error: EngineError) => error.message,
        );
      expect([10, 'image_url: good.test closed the connection before the end of its answer']).toContain(result);
      expect(result === 10).toBe(length === 10);
    });

    it.each(['gzip', 'br', 'x-unknown', 'identity, gzip'])('is not unpacked: %s is refused', async (encoding) => {
      const bomb = gzipSync(Buffer.alloc(1_000_000));
      const { url } = await serve((_request, response) => {
        response.writeHead(200, { 'content-encoding': encoding }).end(bomb);
      });
      expect((await failure(open(url))).message).toBe(
        `image_url: expected good.test to send the file as it is, got it packed with ${encoding}`,
      );
    });
  });

  describe('that takes too long', () => {
    it('ends when no answer comes', async () => {
      const { url, connections } = await serve(() => {});
      const error = await failure(open(url, { idleTimeoutMs: 100 }));
      expect(error).toMatchObject({ code: 'invalid_input', details: { param: 'image_url' } });
      expect(error.message).toBe('image_url: good.test did not answer in 0.1 seconds');
      await closed(connections);
    });

    it('ends when the server stops in the middle', async () => {
      const { url, connections } = await serve((_request, response) => {
        response.write('the first half');
      });
      const { stream } = await open(url, { idleTimeoutMs: 100 });
      const error = await failure(buffer(stream));
      expect(error.message).toBe(
        'image_url: good.test stopped in the middle of the file and sent nothing for 0.1 seconds',
      );
      await closed(connections);
    });

    it('ends when the server sends one byte after the other', async () => {
      const { url, connections } = await serve((_request, response) => {
        const timer = setInterval(() => response.write('x'), 20);
        response.on('close', () => clearInterval(timer));
      });
      const { stream } = await open(url, { timeoutMs: 300 });
      const error = await failure(buffer(stream));
      expect(error.message).toBe('image_url: the address did not answer to the end in 0.3 seconds');
      await closed(connections);
    });

    it('ends when the name is not resolved', async () => {
      const error = await failure(open('https://slow.test/', { timeoutMs: 100, resolve: () => new Promise(() => {}) }));
      expect(error.message).toBe('image_url: the address did not answer to the end in 0.1 seconds');
    });

    it('ends when the connection is not made', async () => {
      const { port } = await serveRaw(() => {});
      const error = await failure(open(`https://good.test:${port}/`, { connectTimeoutMs: 100 }));
      expect(error.message).toBe('image_url: good.test did not answer in 0.1 seconds');
    });
  });

  describe('that fails', () => {
    it.each([204, 206, 304, 400, 404, 500, 503])('says status %i', async (status) => {
      const { url } = await serve((_request, response) => response.writeHead(status).end());
      expect((await failure(open(url))).message).toBe(
        `image_url: expected good.test to have the file, got status ${status}`,
      );
    });

    it('says that nobody knows the name', async () => {
      const unknown = Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND', syscall: 'getaddrinfo' });
      for (const resolve of [async () => [], () => Promise.reject(unknown)]) {
        const error = await failure(open('https://nowhere.test/', { resolve }));
        expect(error.message).toBe('image_url: nowhere.test was not found');
      }
    });

    it('says that nobody listens', async () => {
      const { port } = await serveRaw(() => {});
      await closers.pop()?.();
      const error = await failure(open(`http://good.test:${port}/`));
      expect(error.message).toBe('image_url: good.test refused the connection');
    });

    it('says that it is no web server', async () => {
      const { port } = await serveRaw((socket) => socket.end('220 mail.test ESMTP\r\n'));
      const error = await failure(open(`http://good.test:${port}/`));
      expect(error.message).toBe('image_url: good.test does not speak HTTP');
    });

    it('says that the connection broke', async () => {
      const { port } = await serveRaw((socket) => {
        socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nabcd\r\n', () => socket.destroy());
      });
      const result = open(`http://good.test:${port}/`).then(({ stream }) => buffer(stream));
      expect((await failure(result)).message).toBe(
        'image_url: good.test closed the connection before the end of its answer',
      );
    });

    it('does not end the process when nobody reads', async () => {
      const { port } = await serveRaw((socket) => {
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabcd', () => socket.destroy());
      });
      const { stream } = await open(`http://good.test:${port}/`);
      while (!stream.destroyed) await setImmediate();
      expect((await failure(buffer(stream))).message).toContain('closed the connection');
    });
  });

  describe('that is given up', () => {
    it.each([
      ['with an error of ours', new EngineError('timeout', 'The job took too long'), 'timeout'],
      ['with any reason', new Error('no more'), 'cancelled'],
    ])('before it begins, %s', async (_, reason, code) => {
      const { url, connections } = await serve((_request, response) => response.end());
      const error = await failure(open(url, {}, { signal: AbortSignal.abort(reason) }));
      expect(error.code).toBe(code);
      await setImmediate();
      expect(connections.filter((socket) => socket.bytesRead > 0)).toEqual([]);
    });

    it('while it waits', async () => {
      const controller = new AbortController();
      const { url, connections } = await serve(() => controller.abort());
      expect((await failure(open(url, {}, { signal: controller.signal }))).code).toBe('cancelled');
      await closed(connections);
    });

    it('while bytes come', async () => {
      const controller = new AbortController();
      const { url, connections } = await serve((_request, response) => {
        response.write('the first half');
      });
      const { stream } = await open(url, {}, { signal: controller.signal });
      await once(stream, 'readable');
      controller.abort(new EngineError('cancelled', 'The job was cancelled'));
      expect(await failure(buffer(stream))).toMatchObject({ code: 'cancelled', message: 'The job was cancelled' });
      await closed(connections);
    });

    it('by whoever reads it', async () => {
      const { url, connections } = await serve((_request, response) => {
        response.write('the first half');
      });
      const { stream } = await open(url);
      await once(stream, 'readable');
      stream.destroy();
      await closed(connections);
    });

    it('by closing the downloader', async () => {
      const { url, connections } = await serve(() => {});
      const downloader = make();
      const opened = failure(downloader.open(url, { param: 'image_url' }));
      await until(() => connections.length === 1);
      await downloader.close();
      await opened;
      await closed(connections);
    });
  });

  it('is not offered with an allow list that cannot be read', () => {
    expect(() => make({ allowHosts: ['http://nas'] })).toThrow(/^DARKROOM_ALLOW_HOSTS: /);
  });
});

describe('a guarded agent', () => {
  it('sends a POST to where it may go, and to nowhere else', async () => {
    const bodies: string[] = [];
    const { port, connections } = await serve(async (request, response) => {
      bodies.push((await buffer(request)).toString());
      response.end();
    });
    const agent = createGuardedAgent(createAddressGuard([`good.test:${port}`]), { resolve: async () => ['127.0.0.1'] });
    closers.push(() => agent.destroy());
    const post = (host: string) =>
      agent.request({ origin: `http://${host}:${port}`, path: '/hook', method: 'POST', body: 'event' });
    const { statusCode, body } = await post('good.test');
    await body.dump();
    expect([statusCode, bodies]).toEqual([200, ['event']]);
    await expect(post('other.test')).rejects.toMatchObject({ code: 'invalid_input' });
    await expect(post('127.0.0.1')).rejects.toMatchObject({ code: 'invalid_input' });
    expect(connections).toHaveLength(1);
  });
});

interface Served {
  url: string;
  host: string;
  port: number;
  /** Every connection that was made to it. */
  connections: Socket[];
}

const defaults = { maxBytes: 10_000_000, timeoutMs: 20_000, resolve: async () => ['127.0.0.1'] };

/** A downloader that trusts the names of these tests on every port that a test server got. */
function make(options: Partial<DownloaderOptions> = {}) {
  const allowHosts = ports.flatMap((port) => ['good', 'secure', 'other'].map((name) => `${name}.test:${port}`));
  const downloader = createDownloader({ ...defaults, allowHosts, ...options });
  closers.push(() => downloader.close());
  return downloader;
}

const ports: number[] = [];

function open(
  url: string,
  options: Partial<DownloaderOptions> = {},
  call: { param?: string; signal?: AbortSignal } = {},
) {
  return make(options).open(url, { param: 'image_url', ...call });
}

async function serve(listener: RequestListener, at: { host?: string; port?: number } = {}): Promise<Served> {
  return listen(createServer(listener), at);
}

async function serveTls(listener: RequestListener): Promise<Served> {
  return listen(createTlsServer({ cert: fixture('cert.pem'), key: fixture('key.pem') }, listener));
}

async function serveRaw(listener: (socket: Socket) => void): Promise<Served> {
  return listen(
    createTcpServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => listener(socket));
    }),
  );
}

async function listen(server: Server | NetServer, { host = '127.0.0.1', port = 0 } = {}): Promise<Served> {
  const connections: Socket[] = [];
  server.on('connection', (socket: Socket) => connections.push(socket));
  server.listen(port, host);
  await once(server, 'listening');
  closers.push(async () => {
    for (const socket of connections) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  const address = server.address() as AddressInfo;
  ports.push(address.port);
  const name = `good.test:${address.port}`;
  return { url: `http://${name}/`, host: name, port: address.port, connections };
}

/** Writes until the buffer is full; returns the number of bytes. */
function forever(response: ServerResponse, chunk: Buffer): number {
  let bytes = chunk.length;
  while (response.write(chunk)) bytes += chunk.length;
  return bytes;
}

async function closed(connections: Socket[]): Promise<void> {
  await until(() => connections.length > 0 && connections.every((socket) => socket.destroyed));
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error('Waited 10 s in vain');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function failure(promise: Promise<unknown>): Promise<EngineError> {
  const error = await promise.then(
    () => new Error('Expected a failure'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof EngineError)) throw error;
  return error;
}
