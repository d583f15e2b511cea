import { describe, expect, it } from 'vitest';
import { startPictureShop } from '../../helpers/picture-shop.js';
import { startReceiver } from '../../helpers/receiver.js';
import { bodyOf, errorOf, picture, startServer, until } from '../harness.js';

const path = '/api/generate/background-removal/batch';

interface Batch {
  batch_id: string;
  status: string;
  total_jobs: number;
  completed: number;
  failed: number;
  pending: number;
  processing: number;
  jobs: { id: string; status: string; output_url: string | null; error_message: string | null }[];
}

function formOf(files: Record<string, Buffer>, fields: Record<string, string> = {}, name = 'image'): FormData {
  const form = new FormData();
  for (const [file, bytes] of Object.entries(files)) form.append(name, new Blob([new Uint8Array(bytes)]), file);
  for (const [field, value] of Object.entries(fields)) form.set(field, value);
  return form;
}

const json = (body: object, headers: Record<string, string> = {}) => ({
  method: 'POST',
  body: JSON.stringify(body),
  headers: { 'content-type': 'application/json', ...headers },
});

describe('POST /api/generate/<operation>/batch', () => {
  it('makes one job of each file of a form, with the params that all share', async () => {
    const { url, engine } = await startServer();
    const body = formOf({ 'a.png': picture, 'b.png': picture, 'c.png': picture }, { format: 'webp' }, 'images[]');
    const answer = await fetch(url + path, { method: 'POST', body });
    const batch = await bodyOf<Batch>(answer);
    expect(answer.status).toBe(202);
    expect(batch).toMatchObject({
      batch_id: expect.stringMatching(/^bgrm_batch_[0-9a-f]{24}$/),
      object: 'background_removal.batch',
      total_jobs: 3,
      credits_charged: 0,
      jobs: ['a.png', 'b.png', 'c.png'].map((image_name) => ({
        id: expect.stringMatching(/^bgrm_[0-9a-f]{24}$/),
        image_name,
        status: 'PENDING',
        credits: 0,
      })),
    });
    expect(answer.headers.get('location')).toBe(`${url}${path}/${batch.batch_id}`);
    for (const { id } of batch.jobs) {
      expect(await engine.get(id)).toMatchObject({ batch: batch.batch_id, params: { format: 'webp' } });
    }
  });

  it('takes addresses, base64 and objects with params of their own', async () => {
    const shop = await startPictureShop(picture);
    const { url, engine } = await startServer({ settings: { DARKROOM_ALLOW_HOSTS: shop.host } });
    const images = [
      `${shop.url}/1.png`,
      { image_url: `${shop.url}/2.png`, format: 'webp' },
      { image: picture.toString('base64'), only_mask: true },
    ];
    const batch = await bodyOf<Batch>(fetch(url + path, json({ images, format: 'png' })));
    const jobs = await Promise.all(batch.jobs.map(({ id }) => engine.get(id)));
    expect(jobs.map(({ params }) => [params.format, params.only_mask])).toEqual([
      ['png', false],
      ['webp', false],
      ['png', true],
    ]);
    expect(jobs.map(({ inputs }) => inputs[0]?.url)).toEqual([`${shop.url}/1.png`, `${shop.url}/2.png`, undefined]);
    expect(batch.jobs).toMatchObject([{ image_url: `${shop.url}/1.png` }, {}, { image_url: null }]);
  });

  it('asks for the prompt of each clip, as for that of a single one', async () => {
    const { url } = await startServer();
    const prompts = [{ prompt: 'Slow push in' }, { prompt: ' ' }, { multi_shot_prompts: ['Close-up'] }, {}];
    const answer = await fetch(`${url}/v1/video/generations/batch`, json({ prompts, duration: 3 }));
    const { jobs } = await bodyOf<Batch>(answer);
    expect(jobs.map(({ status }) => status)).toEqual(['pending', 'failed', 'pending', 'failed']);
    expect(jobs[1]?.error_message).toContain('Expected `prompt` to say what to see in the clip');
  });

  it('lets a bad item fail alone, keeps nothing of it, and says why', async () => {
    const shop = await startPictureShop(picture);
    const { url, engine } = await startServer({ settings: { DARKROOM_ALLOW_HOSTS: shop.host } });
    const images = [
      `${shop.url}/good.png`,
      `${shop.url}/missing.png`,
      { image: picture.toString('base64'), format: 'bmp' },
      { image: '%%%' },
      7,
      { format: 'png' },
    ];
    const batch = await bodyOf<Batch>(fetch(url + path, json({ images })));
    expect(batch.jobs.map(({ status, error_message }) => [status, error_message])).toEqual([
      ['PENDING', null],
      ['FAILED', 'image_url: expected 127.0.0.1 to have the file, got status 404'],
      ['FAILED', expect.stringContaining('Expected `format` to be')],
      ['FAILED', expect.stringContaining('Expected `image` to be an https address')],
      ['FAILED', expect.stringContaining('Expected `images[4]` to be an object, got 7')],
      ['FAILED', expect.stringContaining('No picture came')],
    ]);
    expect(batch.jobs[1]).toMatchObject({ image_url: `${shop.url}/missing.png` });
    expect(await engine.stored()).toHaveLength(1);
    await (await engine.begin()).finish(picture);
    expect(await bodyOf<Batch>(fetch(`${url}${path}/${batch.batch_id}`))).toMatchObject({
      status: 'COMPLETED',
      completed: 1,
      failed: 5,
    });
  });

  it('refuses the whole when every item is bad, naming the first', async () => {
    const { url, engine } = await startServer();
    const images = [{ image: picture.toString('base64'), format: 'bmp' }, { image: '%%%' }];
    const answer = await fetch(url + path, json({ images }));
    expect([answer.status, (await errorOf(answer)).param]).toEqual([400, 'images[0].format']);
    expect(await engine.stored()).toEqual([]);
  });

  it.each([
    [{ images: [] }, 'got 0'],
    [{ images: Array(101).fill('aGVsbG8=') }, 'got 101'],
    [{ images: 'aGVsbG8=' }, 'got a string'],
    [{ image: 'aGVsbG8=' }, 'got none'],
  ])('refuses a list that is none of 1 to 100: %#', async (body, got) => {
    const { url } = await startServer();
    const answer = await fetch(url + path, json(body));
    expect([answer.status, await errorOf(answer)]).toMatchObject([
      400,
      { param: 'images', message: `Expected \`images\` to be a list of 1 to 100, ${got}` },
    ]);
  });

  it('takes a hundred files and not one more', async () => {
    const { url, engine } = await startServer();
    const files = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`${index}.png`, picture]));
    const answer = await fetch(url + path, { method: 'POST', body: formOf(files) });
    expect((await bodyOf<Batch>(answer)).total_jobs).toBe(100);
    const more = await fetch(url + path, { method: 'POST', body: formOf({ ...files, 'more.png': picture }) });
    expect(more.status).toBe(400);
    await until(async () => (await engine.stored()).length === 100);
  });

  it('is refused whole when not all of its jobs may wait', async () => {
    const { url, engine } = await startServer({ settings: { DARKROOM_MAX_QUEUE: '2' } });
    const files = { 'a.png': picture, 'b.png': picture, 'c.png': picture };
    const answer = await fetch(url + path, { method: 'POST', body: formOf(files) });
    expect([answer.status, (await errorOf(answer)).code]).toEqual([429, 'rate_limit_exceeded']);
    expect((await engine.status()).queue.states.queued).toBe(0);
    expect(await engine.stored()).toEqual([]);
  });

  it('makes one batch for one Idempotency-Key, and answers the very same body again', async () => {
    const { url, engine } = await startServer();
    const send = (image = picture) =>
      fetch(url + path, {
        method: 'POST',
        body: formOf({ 'a.png': image, 'b.png': picture }),
        headers: { 'Idempotency-Key': 'k' },
      });
    const first = await send();
    await (await engine.begin()).finish(picture);
    const second = await send();
    expect(await second.text()).toBe(await first.text());
    expect(second.headers.get('idempotent-replayed')).toBe('true');
    expect(await errorOf(await send(Buffer.from('another')))).toMatchObject({ code: 'idempotency_key_reuse' });
    // One input that still waits, and one output.
    expect(await engine.stored()).toHaveLength(2);
  });
});

describe('GET /api/generate/<operation>/batch/{id}', () => {
  it('follows every job, and one that is slow holds up no other', async () => {
    const { url, engine } = await startServer();
    const body = formOf({ 'a.png': picture, 'b.png': picture, 'c.png': picture });
    const { batch_id } = await bodyOf<Batch>(fetch(url + path, { method: 'POST', body }));
    const show = async () => {
      const { status, completed, failed, pending, processing } = await bodyOf<Batch>(
        fetch(`${url}${path}/${batch_id}`),
      );
      return [status, completed, failed, pending, processing];
    };
    expect(await show()).toEqual(['PENDING', 0, 0, 3, 0]);
    const slow = await engine.begin();
    await (await engine.begin()).finish(picture);
    expect(await show()).toEqual(['PROCESSING', 1, 0, 1, 1]);
    await (await engine.begin()).fail('invalid_input', 'It is no picture');
    expect(await show()).toEqual(['PROCESSING', 1, 1, 0, 1]);
    await slow.finish(picture);
    expect(await show()).toEqual(['COMPLETED', 2, 1, 0, 0]);
    const { jobs } = await bodyOf<Batch>(fetch(`${url}${path}/${batch_id}`));
    expect(jobs[0]?.output_url).toMatch(/\/output\/.*\.png$/);
    expect(jobs[2]).toMatchObject({ output_url: null, error_message: 'It is no picture' });
  });

  it('is there too under the shared status', async () => {
    const { url } = await startServer();
    const body = formOf({ 'a.png': picture });
    const { batch_id } = await bodyOf<Batch>(fetch(url + path, { method: 'POST', body }));
    const shared = await fetch(`${url}/api/generate/status/${batch_id}`);
    expect(await shared.text()).toBe(await (await fetch(`${url}${path}/${batch_id}`)).text());
    expect((await fetch(`${url}/api/generate/status/bgrm_batch_unknown`)).status).toBe(404);
  });

  it('knows no batch of another key', async () => {
    const { url, engine } = await startServer({ auth: 'required' });
    const headers = async () => ({ Authorization: `Bearer ${(await engine.keys.create('k')).secret}` });
    const mine = await headers();
    const body = formOf({ 'a.png': picture });
    const { batch_id } = await bodyOf<Batch>(fetch(url + path, { method: 'POST', body, headers: mine }));
    expect((await fetch(`${url}${path}/${batch_id}`, { headers: mine })).status).toBe(200);
    const theirs = await headers();
    expect((await fetch(`${url}${path}/${batch_id}`, { headers: theirs })).status).toBe(404);
    const cancel = { method: 'POST', headers: theirs };
    expect((await fetch(`${url}${path}/${batch_id}/cancel`, cancel)).status).toBe(404);
  });
});

describe('POST /api/generate/<operation>/batch/{id}/cancel', () => {
  it('ends what waits and stops what runs', async () => {
    const { url, engine } = await startServer();
    const body = formOf({ 'a.png': picture, 'b.png': picture, 'c.png': picture });
    const { batch_id } = await bodyOf<Batch>(fetch(url + path, { method: 'POST', body }));
    await (await engine.begin()).finish(picture);
    await engine.begin();
    await fetch(`${url}${path}/${batch_id}/cancel`, { method: 'POST' });
    const ended = await until(async () => {
      const batch = await bodyOf<Batch>(fetch(`${url}${path}/${batch_id}`));
      return batch.processing === 0 && batch;
    });
    expect(ended.jobs.map(({ status }) => status)).toEqual(['COMPLETED', 'CANCELED', 'CANCELED']);
    await until(async () => (await engine.stored()).length === 1);
  });
});

describe('webhook_url of a batch', () => {
  it('is told of the end of the whole, and that of an item of its own', async () => {
    const receiver = await startReceiver();
    const { url, engine } = await startServer({ settings: { DARKROOM_ALLOW_HOSTS: receiver.host } });
    const image = picture.toString('base64');
    const images = [{ image }, { image, webhook_url: `${receiver.url}/own`, webhook_auto_retry: true }];
    const body = json({ images, webhook_url: receiver.url });
    const { batch_id, jobs } = await bodyOf<Batch>(fetch(url + path, body));
    expect((await engine.get(jobs[0]?.id ?? '')).autoRetry).toBe(false);
    expect((await engine.get(jobs[1]?.id ?? '')).autoRetry).toBe(true);
    await (await engine.begin()).fail('invalid_input', 'It is no picture');
    await (await engine.begin()).finish(picture);
    const letters = await receiver.got(2);
    const events = letters.map((letter) => [letter.path, letter.headers['x-creativeai-event']]).sort();
    expect(events).toEqual([
      ['/hook', 'background_removal.batch.completed'],
      ['/hook/own', 'background_removal.generation.completed'],
    ]);
    const whole = letters.find((letter) => letter.path === '/hook');
    expect(whole?.headers['x-creativeai-delivery-id']).toBe(batch_id);
    expect(JSON.parse(whole?.body ?? '')).toMatchObject({ batch_id, total_jobs: 2, completed: 1, failed: 1 });
  });

  it('is checked before anything is stored; that of an item is the item’s own fault', async () => {
    const { url, engine } = await startServer();
    const image = picture.toString('base64');
    const bad = 'http://shop.example/hook';
    const refused = await fetch(url + path, json({ images: [{ image }], webhook_url: bad }));
    expect([refused.status, (await errorOf(refused)).param]).toEqual([400, 'webhook_url']);
    expect(await engine.stored()).toEqual([]);
    const images = [{ image }, { image, webhook_url: bad }];
    const { jobs } = await bodyOf<Batch>(fetch(url + path, json({ images })));
    expect(jobs.map(({ status }) => status)).toEqual(['PENDING', 'FAILED']);
  });
});
