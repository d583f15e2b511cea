import { describe, expect, it } from 'vitest';
import { bodyOf, pictureForm, sendRaw, startServer } from './harness.js';

describe('the addresses of a server', () => {
  it('begin with the Host that was asked for', async () => {
    const { engine, port } = await startServer({ auth: 'required' });
    const { secret } = await engine.keys.create('test');
    const body = JSON.stringify({ image: 'aGVsbG8=' });
    const answer = await sendRaw(
      port,
      `POST /api/generate/super-resolution HTTP/1.1\r\nHost: media.example.com:8443\r\nAuthorization: bearer ${secret}\r\n` +
        `Content-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
    );
    expect(answer.headers).toMatch(/^Location: http:\/\/media\.example\.com:8443\/api\/generate\/status\/sres_/m);
  });

  it('include all names of this machine when one of our own outputs is meant', async () => {
    const { url, port, engine } = await startServer({ publicBaseUrl: 'https://media.example.com' });
    const { submit } = engine;
    const asked: string[][] = [];
    engine.submit = (submission) => {
      asked.push(submission.ownBases ?? []);
      return submit(submission);
    };
    await bodyOf(fetch(`${url}/api/generate/super-resolution`, { method: 'POST', body: pictureForm() }));
    const expected = ['https://media.example.com', url, `http://localhost:${port}`, `http://[::1]:${port}`];
    expect(asked[0]).toEqual(expect.arrayContaining(expected));
  });
});
