import { describe, expect, it } from 'vitest';
import { bodyOf, picture, pictureForm, startServer, type TestServer, until } from '../harness.js';

const submit = async ({ url }: TestServer): Promise<string> => {
  const answer = fetch(`${url}/api/generate/background-removal`, { method: 'POST', body: pictureForm() });
  return (await bodyOf(answer)).id;
};

/** The text of a stream as it grows. */
function collect(answer: Response): { text: string; ended: Promise<void> } {
  const collected = { text: '', ended: Promise.resolve() };
  collected.ended = (async () => {
    for await (const chunk of answer.body as unknown as AsyncIterable<Uint8Array>) {
      collected.text += Buffer.from(chunk).toString();
    }
  })();
  return collected;
}

const dataOf = (text: string) => [...text.matchAll(/^data: (.*)$/gm)].map(([, json = '']) => JSON.parse(json));

describe('GET /api/generate/status/{id}/events', () => {
  it('sends the status after every change and ends with the job', async () => {
    const test = await startServer();
    const id = await submit(test);
    const answer = await fetch(`${test.url}/api/generate/status/${id}/events`);
    expect(answer.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    const stream = collect(answer);
    await until(() => stream.text.includes('PENDING'));
    const job = await test.engine.begin();
    await until(() => stream.text.includes('PROCESSING'));
    await job.progress(0.5);
    await until(() => stream.text.includes('"progress":50'));
    await job.finish(picture);
    await stream.ended;
    const events = dataOf(stream.text);
    expect(events.map(({ status }) => status)).toEqual(['PENDING', 'PROCESSING', 'PROCESSING', 'COMPLETED']);
    expect(events.at(-1)).toEqual(await bodyOf(fetch(`${test.url}/api/generate/status/${id}`)));
  });

  it('sends the end of a job that has ended, whatever the reader saw last', async () => {
    const test = await startServer();
    const id = await submit(test);
    await (await test.engine.begin()).finish(picture);
    const headers = { 'Last-Event-ID': '7-250' };
    const answer = await fetch(`${test.url}/api/generate/status/${id}/events`, { headers });
    const text = await answer.text();
    expect(dataOf(text).map(({ status }) => status)).toEqual(['COMPLETED']);
    expect(text).toContain('id: end\n');
  });

  it('tells a reader who saw the end to stay away', async () => {
    const test = await startServer();
    const id = await submit(test);
    await (await test.engine.begin()).finish(picture);
    const headers = { 'Last-Event-ID': 'end' };
    expect((await fetch(`${test.url}/api/generate/status/${id}/events`, { headers })).status).toBe(204);
  });

  it('shows signs of life while nothing happens', async () => {
    const test = await startServer({ heartbeatMs: 10 });
    const stream = collect(await fetch(`${test.url}/api/generate/status/${await submit(test)}/events`));
    await until(() => stream.text.includes(': still here\n\n: still here\n\n'));
    expect(dataOf(stream.text)).toHaveLength(1);
    await test.server.close();
    await stream.ended;
  });

  it('watches no longer than its client', async () => {
    const test = await startServer();
    const id = await submit(test);
    const watching = new Set<AbortSignal>();
    const { watch } = test.engine;
    test.engine.watch = async function* (...call) {
      const [, signal] = call;
      if (signal) watching.add(signal);
      yield* watch(...call);
      if (signal) watching.delete(signal);
    };
    const leaving = new AbortController();
    await fetch(`${test.url}/api/generate/status/${id}/events`, { signal: leaving.signal });
    await until(() => watching.size === 1);
    leaving.abort();
    await until(() => watching.size === 0);
    expect((await test.engine.get(id)).state).toBe('queued');
  });

  it('answers 404 as JSON for an unknown id', async () => {
    const { url } = await startServer();
    const answer = await fetch(`${url}/api/generate/status/none/events`);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([404, 'application/json; charset=utf-8']);
  });

  it('tells a failure in the stream, as the status has gone out', async () => {
    const test = await startServer();
    const id = await submit(test);
    test.engine.watch = async function* () {
      yield await test.engine.get(id);
      throw new Error('/secret/path is broken');
    };
    const text = await (await fetch(`${test.url}/api/generate/status/${id}/events`)).text();
    expect(text).toMatch(/event: error\ndata: \{"error":\{"code":"internal_error","message":"Internal error"/);
    expect(text).not.toContain('secret');
  });
});
