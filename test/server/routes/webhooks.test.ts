import { createHmac } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { type Receiver, startReceiver } from '../../helpers/receiver.js';
import { bodyOf, errorOf, picture, pictureForm, startServer, until } from '../harness.js';

const cutout = '/api/generate/background-removal';

interface Delivery {
  id: string;
  state: string;
  attempts: { status: number | null; error: string | null }[];
  next_attempt_at: string | null;
}
interface Deliveries {
  data: Delivery[];
  last_id: string | null;
  has_more: boolean;
}

function startWithReceiver(receiver: Receiver, { settings = {}, ...options }: Parameters<typeof startServer>[0] = {}) {
  return startServer({ ...options, settings: { DARKROOM_ALLOW_HOSTS: receiver.host, ...settings } });
}

describe('webhook_url', () => {
  it('is told of the end of the job', async () => {
    const receiver = await startReceiver();
    const { url, engine } = await startWithReceiver(receiver);
    const form = pictureForm({ webhook_url: receiver.url, webhook_auto_retry: 'true' });
    const { id, webhook_url, warnings } = await bodyOf(fetch(url + cutout, { method: 'POST', body: form }));
    expect([webhook_url, warnings]).toEqual([receiver.url, []]);
    expect(await engine.get(id)).toMatchObject({ autoRetry: true, params: { only_mask: false } });
    await (await engine.begin()).finish(picture);
    const [letter] = await receiver.got(1);
    expect(letter?.headers).toMatchObject({
      'x-creativeai-event': 'background_removal.generation.completed',
      'x-creativeai-delivery-id': id,
      'webhook-id': `whd_${id}_completed`,
    });
    expect(letter?.headers['x-creativeai-signature']).toBeUndefined();
    const body = JSON.parse(letter?.body ?? '');
    expect(body).toMatchObject({ id, object: 'background_removal.generation', status: 'completed' });
    expect(Buffer.from(await (await fetch(body.output_url)).arrayBuffer())).toEqual(picture);
  });

  it('is told of a failure, and of a job that was cancelled', async () => {
    const receiver = await startReceiver();
    const { url, engine } = await startWithReceiver(receiver);
    const submit = () => fetch(url + cutout, { method: 'POST', body: pictureForm({ webhook_url: receiver.url }) });
    await submit();
    await (await engine.begin()).fail('invalid_input', 'It is no picture');
    const { id } = await bodyOf(submit());
    await fetch(`${url}/api/generate/${id}/cancel`, { method: 'POST' });
    const bodies = (await receiver.got(2)).map(({ body }) => JSON.parse(body));
    expect(bodies.map(({ status, error_message }) => [status, error_message])).toEqual([
      ['failed', 'It is no picture'],
      ['failed', 'The job was cancelled'],
    ]);
  });

  it('is signed with the API key of the caller where keys are required', async () => {
    const receiver = await startReceiver();
    const { url, engine } = await startWithReceiver(receiver, { auth: 'required' });
    const { secret } = await engine.keys.create('test');
    const body = pictureForm({ webhook_url: receiver.url });
    const headers = { Authorization: `Bearer ${secret}` };
    const { id } = await bodyOf(fetch(url + cutout, { method: 'POST', body, headers }));
    expect(JSON.stringify(await engine.get(id))).not.toContain(secret);
    await (await engine.begin()).finish(picture);
    const [letter] = await receiver.got(1);
    const hex = createHmac('sha256', secret)
      .update(letter?.body ?? '')
      .digest('hex');
    expect(letter?.headers['x-creativeai-signature']).toBe(`sha256=${hex}`);
    const official = new Webhook(secret, { format: 'raw' });
    expect(official.verify(letter?.body ?? '', letter?.headers as Record<string, string>)).toMatchObject({
      status: 'completed',
    });
  });

  it('is signed with DARKROOM_WEBHOOK_SECRET where there is one', async () => {
    const receiver = await startReceiver();
    const secret = `whsec_${Buffer.alloc(32, 3).toString('base64')}`;
    const settings = { DARKROOM_WEBHOOK_SECRET: secret };
    const { url, engine } = await startWithReceiver(receiver, { auth: 'required', settings });
    const key = await engine.keys.create('test');
    const body = pictureForm({ webhook_url: receiver.url });
    await fetch(url + cutout, { method: 'POST', body, headers: { Authorization: `Bearer ${key.secret}` } });
    await (await engine.begin()).finish(picture);
    const [letter] = await receiver.got(1);
    new Webhook(secret).verify(letter?.body ?? '', letter?.headers as Record<string, string>);
  });

  it.each([
    ['ftp://shop.example/hook', 'expected an https address'],
    ['http://shop.example/hook', 'expected an https address'],
    ['https://169.254.169.254/latest', 'DARKROOM_ALLOW_HOSTS'],
    ['https://user:password@shop.example/', 'without user name and password'],
    ['not an address', 'expected an https address, got "not an address"'],
    [`https://shop.example/${'x'.repeat(2048)}`, 'at most 2048 characters'],
  ])('is refused before anything is stored when it is %s', async (webhook_url, reason) => {
    const { url, engine } = await startServer();
    const answer = await fetch(url + cutout, { method: 'POST', body: pictureForm({ webhook_url }) });
    expect(answer.status).toBe(400);
    expect(await errorOf(answer)).toMatchObject({ param: 'webhook_url', message: expect.stringContaining(reason) });
    expect(await engine.stored()).toEqual([]);
  });

  it('has to be text, and webhook_auto_retry a yes or no', async () => {
    const { url } = await startServer();
    const send = (body: object) =>
      fetch(url + cutout, {
        method: 'POST',
        body: JSON.stringify({ image: 'aGVsbG8=', ...body }),
        headers: { 'content-type': 'application/json' },
      });
    expect(await errorOf(await send({ webhook_url: 7 }))).toMatchObject({ param: 'webhook_url' });
    expect(await errorOf(await send({ webhook_auto_retry: 'often' }))).toMatchObject({ param: 'webhook_auto_retry' });
    expect((await send({ webhook_url: null, webhook_auto_retry: false })).status).toBe(202);
  });

  it('is part of what an Idempotency-Key stands for', async () => {
    const receiver = await startReceiver();
    const { url } = await startWithReceiver(receiver);
    const send = (webhook_url: string) =>
      fetch(url + cutout, {
        method: 'POST',
        body: pictureForm({ webhook_url }),
        headers: { 'Idempotency-Key': 'order-1' },
      });
    expect((await send(receiver.url)).status).toBe(202);
    expect((await send(receiver.url)).headers.get('idempotent-replayed')).toBe('true');
    expect(await errorOf(await send(`${receiver.url}/other`))).toMatchObject({ code: 'idempotency_key_reuse' });
  });
});

describe('GET /v1/webhooks/deliveries', () => {
  it('shows every attempt, the newest delivery first, page by page', async () => {
    const receiver = await startReceiver(410, 200);
    const { url, engine } = await startWithReceiver(receiver);
    const ids: string[] = [];
    for (let sent = 1; sent <= 2; sent += 1) {
      const body = pictureForm({ webhook_url: receiver.url });
      ids.push((await bodyOf(fetch(url + cutout, { method: 'POST', body }))).id);
      await (await engine.begin()).finish(picture);
      await receiver.got(sent);
    }
    const [first, second] = ids;
    const list = (query: string) => bodyOf<Deliveries>(fetch(`${url}/v1/webhooks/deliveries${query}`));
    await until(async () => (await list('?state=pending')).data.length === 0);
    const all = await list('');
    expect(all).toMatchObject({ object: 'list', has_more: false, last_id: `whd_${first}_completed` });
    expect(all.data).toMatchObject([
      {
        id: `whd_${second}_completed`,
        object: 'webhook.delivery',
        event: 'background_removal.generation.completed',
        generation_id: second,
        url: receiver.url,
        state: 'delivered',
        attempts: [{ status: 200, error: null, at: expect.stringMatching(/Z$/), ms: expect.any(Number) }],
        next_attempt_at: null,
        ended_at: expect.stringMatching(/Z$/),
      },
      { state: 'gone', attempts: [{ status: 410, error: 'The receiver answered 410' }] },
    ]);
    expect((await list('?limit=1')).has_more).toBe(true);
    expect((await list(`?after=whd_${second}_completed`)).data).toHaveLength(1);
    expect((await list(`?generation_id=${first}`)).data.map(({ state }) => state)).toEqual(['gone']);
    expect((await list('?state=gone')).data).toHaveLength(1);
  });

  it.each(['limit=0', 'limit=101', 'limit=many', 'state=lost'])('refuses %s', async (query) => {
    const { url } = await startServer();
    const answer = await fetch(`${url}/v1/webhooks/deliveries?${query}`);
    expect([answer.status, (await errorOf(answer)).param]).toEqual([400, query.split('=')[0]]);
  });

  it('shows nobody the deliveries of another key', async () => {
    const receiver = await startReceiver();
    const { url, engine } = await startWithReceiver(receiver, { auth: 'required' });
    const headers = async () => ({ Authorization: `Bearer ${(await engine.keys.create('k')).secret}` });
    const [mine, theirs] = [await headers(), await headers()];
    const body = pictureForm({ webhook_url: receiver.url });
    const { id } = await bodyOf(fetch(url + cutout, { method: 'POST', body, headers: mine }));
    await engine.cancel(id);
    await receiver.got(1);
    const path = `${url}/v1/webhooks/deliveries`;
    expect((await bodyOf<Deliveries>(fetch(path, { headers: mine }))).data).toHaveLength(1);
    expect((await bodyOf<Deliveries>(fetch(path, { headers: theirs }))).data).toEqual([]);
    expect((await fetch(`${path}/whd_${id}_failed`, { headers: mine })).status).toBe(200);
    expect((await fetch(`${path}/whd_${id}_failed`, { headers: theirs })).status).toBe(404);
    const again = { method: 'POST', headers: theirs };
    expect((await fetch(`${path}/whd_${id}_failed/redeliver`, again)).status).toBe(404);
    expect(receiver.letters).toHaveLength(1);
  });
});

describe('POST /v1/webhooks/deliveries/{id}/redeliver', () => {
  it('sends it again, the same', async () => {
    const receiver = await startReceiver();
    const { url, engine } = await startWithReceiver(receiver);
    const body = pictureForm({ webhook_url: receiver.url });
    const { id } = await bodyOf(fetch(url + cutout, { method: 'POST', body }));
    await (await engine.begin()).finish(picture);
    const path = `${url}/v1/webhooks/deliveries/whd_${id}_completed`;
    const state = async () => (await bodyOf<Delivery>(fetch(path))).state;
    await until(async () => (await state()) === 'delivered');
    const answer = await fetch(`${path}/redeliver`, { method: 'POST' });
    expect([answer.status, (await bodyOf<Delivery>(answer)).state]).toEqual([202, 'pending']);
    const [first, second] = await receiver.got(2);
    expect(second?.body).toBe(first?.body);
    expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id']);
    await until(async () => (await bodyOf<Delivery>(fetch(path))).attempts.length === 2);
  });

  it('answers 404 for what was never owed', async () => {
    const { url } = await startServer();
    const answer = await fetch(`${url}/v1/webhooks/deliveries/whd_x_completed/redeliver`, { method: 'POST' });
    expect([answer.status, (await errorOf(answer)).code]).toEqual([404, 'not_found']);
  });
});
