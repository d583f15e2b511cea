import { createAddressGuard } from '#src/engine/downloads/address-guard.js';
import { createPost, type PostOptions } from '#src/engine/webhooks/post.js';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startReceiver } from '../../helpers/receiver.js';

const never = new AbortController().signal;

function post(allowHosts: string[], options: Partial<PostOptions> = {}) {
  const made = createPost({ guard: createAddressGuard(allowHosts), ...options });
  onTestFinished(() => made.close());
  return made;
}

const letterTo = (url: string) => ({ url, headers: { 'X-CreativeAI-Event': 'e' }, body: '{"a":"é"}' });

describe('send', () => {
  it('posts the bytes and the headers, and tells the status', async () => {
    const receiver = await startReceiver(204);
    const answer = await post([receiver.host]).send(letterTo(`${receiver.url}?a=1`), never);
    expect(answer).toEqual({ status: 204, location: null });
    const [letter] = receiver.letters;
    expect(letter).toMatchObject({ path: '/hook?a=1', body: '{"a":"é"}', headers: { 'x-creativeai-event': 'e' } });
    expect(letter?.headers['content-length']).toBe('10');
  });

  it('follows no redirect', async () => {
    const other = await startReceiver(200);
    const receiver = await startReceiver((response) => response.writeHead(307, { location: other.url }).end());
    const answer = await post([receiver.host, other.host]).send(letterTo(receiver.url), never);
    expect(answer).toEqual({ status: 307, location: other.url });
    expect(other.letters).toEqual([]);
  });

  it('calls no address of this machine that is not listed', async () => {
    const receiver = await startReceiver();
    await expect(post([]).send(letterTo(receiver.url), never)).rejects.toMatchObject({ code: 'invalid_input' });
    const rebound = post([], { resolve: async () => ['127.0.0.1'] });
    await expect(rebound.send(letterTo('https://hooks.example.com/x'), never)).rejects.toMatchObject({
      code: 'invalid_input',
      message: expect.stringContaining('hooks.example.com points to 127.0.0.1'),
    });
    expect(receiver.letters).toEqual([]);
  });

  it('gives a receiver that never answers its time and no more', async () => {
    const receiver = await startReceiver(() => {});
    await expect(post([receiver.host], { timeoutMs: 50 }).send(letterTo(receiver.url), never)).rejects.toMatchObject({
      message: '127.0.0.1 did not answer in 0.05 seconds',
    });
  });

  it('does not wait for a body that never ends', async () => {
    const receiver = await startReceiver((response) => response.writeHead(200).write('…'));
    expect(await post([receiver.host]).send(letterTo(receiver.url), never)).toMatchObject({ status: 200 });
  });

  it('says why nobody was reached', async () => {
    const [refused] = ['127.0.0.1:9'];
    await expect(post([refused as string]).send(letterTo(`http://${refused}/`), never)).rejects.toMatchObject({
      message: '127.0.0.1 refused the connection',
    });
    const unknown = post([], { resolve: async () => [] });
    await expect(unknown.send(letterTo('https://nobody.example/'), never)).rejects.toMatchObject({
      message: expect.stringContaining('was not found'),
    });
  });

  it('ends when it is told to', async () => {
    const receiver = await startReceiver(() => {});
    const stop = new AbortController();
    const sending = post([receiver.host]).send(letterTo(receiver.url), stop.signal);
    await receiver.got(1);
    stop.abort(new Error('The server is stopping'));
    await expect(sending).rejects.toThrow('The server is stopping');
  });
});
