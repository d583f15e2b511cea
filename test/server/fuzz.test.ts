import { connect } from 'node:net';
import { expect, it } from 'vitest';
import { errorOf, type RawAnswer, startServer, until } from './harness.js';

const head = (line: string, ...headers: string[]) =>
  [`${line} HTTP/1.1`, 'Host: localhost', ...headers, '', ''].join('\r\n');
const form =
  '--xyz\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\nContent-Type: image/png\r\n\r\nbytes\r\n' +
  '--xyz\r\nContent-Disposition: form-data; name="format"\r\n\r\npng\r\n--xyz--\r\n';
const multipart = ['Content-Type: multipart/form-data; boundary=xyz', `Content-Length: ${form.length}`];

const batch =
  '{"images":[{"image":"aGVsbG8="},{"image":"aGVsbG8=","format":"webp"}],"webhook_url":"https://a.example"}';
const json = (body: string) => ['Content-Type: application/json', `Content-Length: ${body.length}`];

const requests = [
  head('GET /health'),
  head('GET /output/01a204b936aae5af04962c67e1d78e3b0687f59a572e.png', 'Range: bytes=0-5', 'If-None-Match: "x"'),
  head('GET /api/generate/status/abc/events', 'Last-Event-ID: end', 'Accept: image/*'),
  `${head('POST /api/generate/background-removal', ...multipart)}${form}`,
  `${head('POST /v1/images/upscale', 'Content-Type: application/json', 'Content-Length: 19')}{"image":"aGVsbG8=}`,
  `${head('POST /api/generate/background-removal/batch', ...json(batch))}${batch}`,
  head('GET /v1/webhooks/deliveries?limit=3&state=gone&after=whd_x_failed'),
  `${head('POST /api/generate/x/cancel', 'Transfer-Encoding: chunked')}2\r\n{}\r\n0\r\n\r\n`,
];

const scraps = [
  '\r\n',
  '\0',
  '%',
  '%2f',
  '..',
  '[',
  ']',
  '\xff',
  ':',
  '"',
  ';',
  '--xyz',
  '{',
  '9'.repeat(20),
  '\n',
  'http://[',
  '\\',
  '?a=%',
];

/** The same sequence of numbers below `limit` in every run (mulberry32). */
function random(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
}

function mutate(below: (limit: number) => number): Buffer {
  let text = requests[below(requests.length)] as string;
  for (let times = 1 + below(4); times > 0; times--) {
    const at = below(text.length + 1);
    const changes = [
      () => text.slice(0, at) + scraps[below(scraps.length)] + text.slice(at),
      () => text.slice(0, at) + text.slice(at + 1 + below(8)),
      () => text.slice(0, at) + String.fromCharCode(below(256)) + text.slice(at + 1),
      () => text.slice(0, at) + text.slice(below(text.length + 1)),
    ];
    text = (changes[below(changes.length)] as () => string)();
  }
  return Buffer.from(text, 'latin1');
}

/** Sends and closes its side; gives what came back until the server closed too, or nothing after a while. */
function send(port: number, bytes: Buffer): Promise<RawAnswer> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk));
    socket.on('error', () => {});
    socket.on('close', () => {
      const [headers = '', ...body] = text.split('\r\n\r\n');
      resolve({ status: Number(headers.split(' ')[1] ?? 0), headers, body: body.join('\r\n\r\n') });
    });
    socket.end(bytes);
    socket.setTimeout(5_000, () => socket.destroy());
  });
}

it('a thousand broken requests get an error each, and leave nothing behind', async () => {
  const { url, port, engine } = await startServer({
    connections: { headersTimeoutMs: 1_500, requestTimeoutMs: 1_500, checkEveryMs: 50 },
  });
  const below = random(1);
  let refused = 0;
  for (let round = 0; round < 25; round++) {
    const batch = Array.from({ length: 40 }, () => mutate(below));
    const answers = await Promise.all(batch.map((bytes) => send(port, bytes)));
    for (const [index, answer] of answers.entries()) {
      const isOneAnswer = answer.status >= 400 && !/HTTP\/1.1 \d/.test(answer.body);
      if (isOneAnswer) await errorOf(answer);
      if (isOneAnswer) refused += 1;
      expect([answer.status, batch[index]?.toString('latin1')]).not.toEqual([500, expect.anything()]);
    }
  }
  expect(refused).toBeGreaterThan(500);
  await until(async () => (await fetch(`${url}/health`)).status === 200);
  // Some were whole all the same: each waiting job has its one picture, and there is nothing else.
  await until(async () => (await engine.stored()).length === (await engine.status()).queue.states.queued);
});
