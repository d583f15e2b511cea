import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { bodyOf, errorOf, picture, pictureForm, readableLog, sendRaw, startServer, until } from './harness.js';

const upscale = '/api/generate/super-resolution';

const postJson = (url: string, body: unknown, headers: Record<string, string> = {}) =>
  fetch(url + upscale, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });

/** A request whose body is a form of these parts, byte for byte. */
function rawForm(parts: string[], { boundary = 'xyz', end = '--xyz--\r\n', headers = '' } = {}): string {
  const body = parts.map((part) => `--xyz\r\n${part}\r\n`).join('') + end;
  const length = `Content-Length: ${Buffer.byteLength(body)}\r\n`;
  const type = `Content-Type: multipart/form-data; boundary=${boundary}\r\n`;
  return `POST ${upscale} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${headers}${type}${length}\r\n${body}`;
}

const filePart = (name: string, content = 'bytes') =>
  `Content-Disposition: form-data; name="${name}"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n${content}`;
const textPart = (name: string, value: string) => `Content-Disposition: form-data; name="${name}"\r\n\r\n${value}`;

describe('a form', () => {
  it.each(['image', 'image[]', 'file', 'image_file'])('may name its picture %s', async (name) => {
    const { url, engine } = await startServer();
    const { id } = await bodyOf(fetch(url + upscale, { method: 'POST', body: pictureForm({}, name) }));
    const { inputs } = await engine.get(id);
    expect(inputs).toMatchObject([{ field: 'image', bytes: picture.length }]);
  });

  it('may carry an address instead of a file', async () => {
    const { url, engine } = await startServer();
    const form = new FormData();
    form.set('image_url', `data:image/png;base64,${picture.toString('base64')}`);
    const { id } = await bodyOf(fetch(url + upscale, { method: 'POST', body: form }));
    expect((await engine.get(id)).inputs).toMatchObject([{ field: 'image', bytes: picture.length }]);
  });

  it('reaches the store while it is still being sent', async () => {
    const { log, lines } = readableLog('debug');
    const { port, engine } = await startServer({ log });
    const socket = connect(port, '127.0.0.1');
    socket.write(rawForm([filePart('image', 'x'.repeat(200_000))]).slice(0, 150_000));
    await until(async () => (await engine.stored()).length === 1);
    socket.destroy();
    await until(() => lines.some(({ msg }) => msg === 'Request refused'));
    expect(await engine.stored()).toEqual([]);
  });

  it('that breaks off leaves nothing, wherever it does', async () => {
    const { log, lines } = readableLog('debug');
    const { port, engine } = await startServer({ log });
    const complete = rawForm([filePart('image', 'y'.repeat(50_000)), textPart('format', 'png')]);
    const head = complete.indexOf('\r\n\r\n') + 4;
    const cuts = [head, head + 3, head + 20, head + 110, head + 30_000, complete.length - 70, complete.length - 3];
    for (const cut of cuts) {
      const socket = connect(port, '127.0.0.1');
      await new Promise((resolve) => socket.write(complete.slice(0, cut), resolve));
      socket.end();
      socket.resume();
    }
    await until(() => lines.filter(({ msg }) => msg === 'Request refused').length === cuts.length);
    expect(await engine.stored()).toEqual([]);
    expect((await engine.status()).queue.states.queued).toBe(0);
  });

  it.each([
    ['a file under another name', [filePart('photo')], 'photo', 'Expected the file in `image`, got one in `photo`'],
    ['two pictures', [filePart('image'), filePart('image[]')], null, 'at most one file'],
    [
      'a file and an address',
      [filePart('image'), textPart('image_url', 'https://a.example/b.png')],
      'image',
      'Expected one picture for `image`, got a file and `image_url`',
    ],
    [
      'the same field twice',
      [filePart('image'), textPart('format', 'png'), textPart('format', 'webp')],
      'format',
      'Expected `format` once',
    ],
    ['a file without a name', ['Content-Disposition: form-data; filename="a.png"\r\n\r\nx'], '', 'got one in ``'],
    [
      'a part without a name',
      [filePart('image'), 'Content-Disposition: form-data\r\n\r\nx'],
      null,
      'Expected every part of the form to have a name',
    ],
    ['a part with a broken header', [filePart('image'), 'No colon here\r\n\r\nx'], null, 'Malformed part header'],
  ])('with %s is refused, and nothing of it is kept', async (_name, parts, param, message) => {
    const { port, engine } = await startServer();
    const answer = await sendRaw(port, rawForm(parts));
    expect(answer.status).toBe(400);
    const error = await errorOf(answer);
    expect(error).toMatchObject({ type: 'invalid_request_error', param });
    expect(error.message).toContain(message);
    expect(await engine.stored()).toEqual([]);
  });

  it.each([
    ['another boundary than announced', rawForm([filePart('image')], { boundary: 'abc' }), 'Unexpected end of form'],
    ['no boundary', rawForm([filePart('image')]).replace('; boundary=xyz', ''), 'Boundary not found'],
    ['no end', rawForm([filePart('image')], { end: '' }), 'Unexpected end of form'],
    ['an end in mid-header', rawForm([], { end: '--xyz\r\nContent-Dispo' }), 'Unexpected end of form'],
    [
      'a thousand fields',
      rawForm(Array.from({ length: 1000 }, (_, n) => textPart(`f${n}`, 'x'))),
      'at most 100 fields',
    ],
    ['a thousand parts of no use', rawForm(Array.from({ length: 1000 }, () => 'X: y\r\n\r\nx')), 'at most 101 parts'],
    ['a thousand files', rawForm(Array.from({ length: 1000 }, () => filePart('image'))), 'at most one file'],
  ])('with %s is refused', async (_name, request, message) => {
    const { port, engine } = await startServer();
    const answer = await sendRaw(port, request);
    expect(answer.status).toBe(400);
    expect((await errorOf(answer)).message).toContain(message);
    expect(await engine.stored()).toEqual([]);
  });

  it('with a picture in a text field is told to send a file', async () => {
    const { port } = await startServer();
    const answer = await sendRaw(port, rawForm([textPart('image', 'A'.repeat(70_000))]));
    expect(answer.status).toBe(413);
    expect(await errorOf(answer)).toMatchObject({
      param: 'image',
      message: expect.stringContaining('-F image=@photo.jpg'),
    });
  });

  it('keeps names like __proto__ as what they are', async () => {
    const { port, engine } = await startServer();
    const answer = await sendRaw(
      port,
      rawForm([filePart('image'), textPart('__proto__', 'x'), textPart('constructor', 'y')]),
    );
    expect(answer.status).toBe(202);
    const { warnings } = await engine.get(JSON.parse(answer.body).id);
    expect(warnings).toHaveLength(2);
  });
});

describe('a client that leaves before its body is looked at', () => {
  it.each([
    ['form', 'multipart/form-data; boundary=xyz'],
    ['JSON', 'application/json'],
  ])('with a %s is let go', async (_name, type) => {
    const { log, lines } = readableLog('debug');
    const { port, engine } = await startServer({ log, auth: 'required' });
    let open = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    engine.keys.verify = () => gate.then(() => ({ id: 'key', label: '', createdAt: 0 }));
    const socket = connect(port, '127.0.0.1');
    const head = `POST ${upscale} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer x\r\nContent-Length: 100\r\n`;
    await new Promise((resolve) => socket.write(`${head}Content-Type: ${type}\r\n\r\n{`, resolve));
    socket.destroy();
    await until(() => lines.some(({ msg }) => msg === 'Request ended'));
    open();
    const refused = await until(() => lines.find(({ msg }) => msg === 'Request refused'));
    expect(refused).toMatchObject({ err: { code: 'cancelled' } });
  });
});

describe('a picture that is too large', () => {
  it('is refused by its announced length before the body is sent', async () => {
    const { port } = await startServer({ maxUploadBytes: 1000 });
    const headers = `Expect: 100-continue\r\n`;
    const request = rawForm([filePart('image')], { headers }).replace(
      /Content-Length: \d+/,
      'Content-Length: 900000000',
    );
    const answer = await sendRaw(port, `${request.split('\r\n\r\n')[0]}\r\n\r\n`);
    expect(answer.headers).toMatch(/^HTTP\/1\.1 413 /);
    expect(await errorOf(answer)).toMatchObject({ code: 'too_large', type: 'invalid_request_error' });
  });

  it('is refused while it arrives, and the client hears why', async () => {
    const { url, engine } = await startServer({ settings: { DARKROOM_MAX_UPLOAD_MB: '1' } });
    const form = new FormData();
    form.set('image', new Blob([Buffer.alloc(3_000_000)]), 'photo.png');
    const answer = await fetch(url + upscale, { method: 'POST', body: form });
    expect(answer.status).toBe(413);
    expect(await errorOf(answer)).toMatchObject({ code: 'too_large', param: 'image' });
    expect(await engine.stored()).toEqual([]);
  });

  it('is refused in JSON too', async () => {
    const { url } = await startServer({ maxUploadBytes: 1000 });
    const answer = await postJson(url, { image: 'A'.repeat(1_100_000) });
    expect(answer.status).toBe(413);
    expect((await errorOf(answer)).message).toContain('multipart/form-data');
  });
});

describe('Expect: 100-continue', () => {
  it('is answered when the body is wanted', async () => {
    const { port } = await startServer();
    const [head = '', ...body] = rawForm([filePart('image')], { headers: 'Expect: 100-continue\r\n' }).split(
      '\r\n\r\n',
    );
    const answer = await sendRaw(port, `${head}\r\n\r\n`, (socket) => {
      socket.once('data', () => socket.write(body.join('\r\n\r\n')));
    });
    expect(answer.headers).toBe('HTTP/1.1 100 Continue');
    expect(answer.body).toMatch(/^HTTP\/1\.1 202 /);
  });

  it('is not answered when the key is missing: the body stays at home', async () => {
    const { port } = await startServer({ auth: 'required' });
    const [head] = rawForm([filePart('image')], { headers: 'Expect: 100-continue\r\n' }).split('\r\n\r\n');
    const answer = await sendRaw(port, `${head}\r\n\r\n`);
    expect(answer.headers).toMatch(/^HTTP\/1\.1 401 /);
  });
});

describe('a JSON request', () => {
  it.each([
    ['base64', { image: picture.toString('base64') }],
    ['base64 of the URL kind', { image: picture.toString('base64url') }],
    ['base64 in lines', { image: picture.toString('base64').replace(/.{8}/g, '$&\n') }],
    ['a data URI', { image: `data:image/png;base64,${picture.toString('base64')}` }],
    ['a data URI as an address', { image_url: ` data:image/png;base64,${picture.toString('base64')}` }],
  ])('may carry its picture as %s', async (_name, body) => {
    const { url, engine } = await startServer();
    const answer = await postJson(url, { ...body, image_file: null, file: '', format: 'webp' });
    const { id } = await bodyOf(answer);
    expect(answer.status).toBe(202);
    expect((await engine.get(id)).inputs).toMatchObject([{ field: 'image', bytes: picture.length }]);
    expect((await engine.get(id)).params).toMatchObject({ model: 'auto', format: 'webp' });
  });

  it.each([
    ['a word', '"word"', 'got a string'],
    ['an array', '[1]', 'got an array'],
    ['null', 'null', 'got null'],
    ['nothing', '', 'Unexpected end of JSON input'],
    ['a missing value', '{"image": }', 'Unexpected token'],
    ['a missing quote', '{"image": "abc', 'Unterminated string in JSON at position 14'],
    ['a comma too many', '{"scale": 2,}', 'position 12'],
  ])('that is %s is refused, saying where it is wrong', async (_name, body, message) => {
    const { url } = await startServer();
    const answer = await postJson(url, body);
    expect(answer.status).toBe(400);
    const error = await errorOf(answer);
    expect(error.code).toBe('invalid_request_error');
    expect(error.message).toContain(message);
  });

  it.each([
    ['a path', { image: '/etc/passwd.png' }, 'image', '"/etc/passwd.png"'],
    ['another protocol', { image_url: 'file:///etc/passwd' }, 'image_url', '"file:///etc/passwd"'],
    ['an object', { image: { url: 'https://a.example' } }, 'image', 'got a object'],
    ['a number', { image: 7 }, 'image', 'got a number'],
    ['two', { image: 'aGk=', image_url: 'https://a.example/b.png' }, 'image', 'got `image` and `image_url`'],
  ])('with %s for a picture is refused', async (_name, body, param, message) => {
    const { url, engine } = await startServer();
    const answer = await postJson(url, body);
    expect(answer.status).toBe(400);
    const error = await errorOf(answer);
    expect(error.param).toBe(param);
    expect(error.message).toContain(message);
    expect(await engine.stored()).toEqual([]);
  });
});

describe('a content type that is neither', () => {
  it.each(['', 'text/plain', 'image/png', 'multipart/mixed', 'application/jsonp'])(
    'is refused with 415: "%s"',
    async (type) => {
      const { port } = await startServer();
      const header = type && `Content-Type: ${type}\r\n`;
      const request = `POST ${upscale} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${header}Content-Length: 2\r\n\r\n{}`;
      const answer = await sendRaw(port, request);
      expect(answer.status).toBe(415);
      expect(await errorOf(answer)).toMatchObject({ code: 'unsupported_media_type', param: 'Content-Type' });
    },
  );
});
