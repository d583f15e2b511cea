import { describe, expect, it } from 'vitest';
import { startPictureShop } from '../../helpers/picture-shop.js';
import { startReceiver } from '../../helpers/receiver.js';
import { bodyOf, errorOf, picture, pictureForm, startServer, until } from '../harness.js';

const path = '/v1/video/generations';

interface Video {
  id: string;
  status: string;
  model_actual: string;
  output_url: string | null;
  warnings: string[];
}

interface Batch {
  batch_id: string;
  jobs: { id: string; status: string; prompt: string; error_message: string | null; output_url: string | null }[];
}

const json = (body: object, headers: Record<string, string> = {}) => ({
  method: 'POST',
  body: JSON.stringify(body),
  headers: { 'content-type': 'application/json', ...headers },
});

/** A server that may fetch from a shop and call a receiver, which stand for the addresses of the API page. */
async function startWithNeighbours() {
  const shop = await startPictureShop(picture);
  const receiver = await startReceiver();
  const settings = { DARKROOM_ALLOW_HOSTS: `${shop.host},${receiver.host}` };
  return { ...(await startServer({ settings })), shop, receiver };
}

describe('POST /v1/video/generations', () => {
  it('takes the image-to-video sample of the API page', async () => {
    const { url, shop, receiver, engine } = await startWithNeighbours();
    const image_url = `${shop.url}/source-image.png`;
    const sample = {
      model: 'auto',
      image_url,
      prompt: 'Subtle camera push in, natural motion, cinematic lighting',
      duration: 5,
      aspect_ratio: '16:9',
      webhook_url: receiver.url,
    };
    const answer = await fetch(url + path, json(sample));
    const video = await bodyOf<Video>(answer);
    expect(answer.status).toBe(202);
    expect(video).toEqual({
      id: expect.stringMatching(/^vgen_[0-9a-f]{24}$/),
      object: 'video.generation',
      model: 'auto',
      model_actual: 'local-motion-i2v',
      status: 'processing',
      prompt: sample.prompt,
      image_url,
      credits: 0,
      failover_used: false,
      output_url: null,
      webhook_url: receiver.url,
      warnings: [],
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    });
    expect(answer.headers.get('location')).toBe(`${url}${path}/${video.id}`);
    expect(answer.headers.get('x-poll-interval')).toBe('10');
    await (await engine.begin()).finish(Buffer.from('a clip'), 'mp4');
    const ended = await fetch(`${url}${path}/${video.id}`);
    expect(ended.headers.get('x-model-actual')).toBe('local-motion-i2v');
    expect(ended.headers.get('x-poll-interval')).toBeNull();
    expect(await bodyOf<Video>(ended)).toMatchObject({
      status: 'completed',
      model: 'auto',
      model_actual: 'local-motion-i2v',
      image_url,
      output_url: expect.stringMatching(/\/output\/[\w-]+\.mp4$/),
      data: [{ content_type: 'video/mp4' }],
      error: null,
      completed_at: expect.stringMatching(/Z$/),
    });
    const [letter] = await receiver.got(1);
    expect(letter?.headers['x-creativeai-event']).toBe('video.generation.completed');
    expect(JSON.parse(letter?.body ?? '')).toMatchObject({ id: video.id, prompt: sample.prompt, status: 'completed' });
  });

  it('takes every other sample of the API page without a warning', async () => {
    const { url, shop, receiver } = await startWithNeighbours();
    const references = {
      character_reference_url: `${shop.url}/character.png`,
      character_references: [`${shop.url}/char1.png`, `${shop.url}/char2.png`],
      camera_angle: 'isometric',
      style_reference_url: `${shop.url}/style.jpg`,
      webhook_url: receiver.url,
    };
    const samples = [
      {
        model: 'auto',
        prompt: 'Turn this product image into a short vertical promo clip',
        image_url: `${shop.url}/product.png`,
        duration: 5,
        aspect_ratio: '9:16',
        webhook_url: receiver.url,
      },
      {
        model: 'auto',
        prompt: 'A drone shot over a coastal city at golden hour, cinematic',
        duration: 5,
        aspect_ratio: '16:9',
        ...references,
      },
      {
        model: 'kling-v3',
        prompt: 'Camera pans right over a dense neon-lit cyberpunk city. Flying cars zip past.',
        multi_shot_prompts: [
          'Cut to a close-up of a cyborg detective lighting a cigarette.',
          'The camera pulls back quickly to reveal the detective is standing on the edge of a skyscraper.',
        ],
        ai_director_mode: true,
        aspect_ratio: '16:9',
        duration: 10,
        ...references,
      },
      {
        model: 'auto',
        image_url: `${shop.url}/clean-product-shot.png`,
        prompt: 'Slow premium turntable shot of this product, subtle camera drift, soft studio reflections',
        duration: 5,
        webhook_url: receiver.url,
        webhook_auto_retry: true,
        failover: false,
      },
    ];
    for (const sample of samples) {
      const answer = await fetch(url + path, json(sample));
      expect([answer.status, (await bodyOf<Video>(answer)).warnings]).toEqual([202, []]);
    }
  });

  it.each([{}, { prompt: '  ' }])('asks for a prompt: %j', async (given) => {
    const { url } = await startServer();
    const image_url = `data:image/png;base64,${picture.toString('base64')}`;
    const answer = await fetch(url + path, json({ image_url, ...given }));
    expect([answer.status, (await errorOf(answer)).param]).toEqual([400, 'prompt']);
  });

  it('is the same at its alias', async () => {
    const { url } = await startServer();
    const alias = '/v1/video/generate';
    const body = pictureForm({ prompt: 'Zoom in' });
    const answer = await fetch(url + alias, { method: 'POST', body });
    const { id, status } = await bodyOf<Video>(answer);
    expect([answer.status, status]).toEqual([202, 'processing']);
    const one = await fetch(`${url}${alias}/${id}`);
    const other = await fetch(`${url}${path}/${id}`);
    expect(await one.text()).toBe(await other.text());
  });

  it.each([
    [{ duration: 2 }, 'duration'],
    [{ duration: 16 }, 'duration'],
    [{ aspect_ratio: '2:1' }, 'aspect_ratio'],
    [{ resolution: '4k' }, 'resolution'],
    [{ character_references: Array(4).fill('data:image/png;base64,aGVsbG8=') }, 'character_references'],
    [{ image_url: 'http://127.0.0.1:1/a.png' }, 'image_url'],
    [{ webhook_url: 'http://127.0.0.1:1/hook' }, 'webhook_url'],
    [{ failover: 'perhaps' }, 'failover'],
  ])('refuses %j', async (wrong, param) => {
    const { url, engine } = await startServer();
    const answer = await fetch(url + path, json({ prompt: 'Zoom in', ...wrong }));
    expect([answer.status, (await errorOf(answer)).param]).toEqual([400, param]);
    expect(await engine.stored()).toEqual([]);
  });

  it('answers a repeated submission with the very same body', async () => {
    const { url, engine } = await startServer();
    const send = () =>
      fetch(url + path, {
        method: 'POST',
        body: pictureForm({ prompt: 'Zoom in' }),
        headers: { 'Idempotency-Key': 'k' },
      });
    const first = await send();
    await (await engine.begin()).finish(Buffer.from('a clip'), 'mp4');
    const second = await send();
    expect(await second.text()).toBe(await first.text());
    expect(second.headers.get('idempotent-replayed')).toBe('true');
  });
});

describe('GET /v1/video/generations/{id}', () => {
  it('goes from pending over processing to failed', async () => {
    const { url, engine } = await startServer();
    const { id } = await bodyOf<Video>(fetch(url + path, { method: 'POST', body: pictureForm({ prompt: 'Zoom in' }) }));
    const show = () => bodyOf<Video>(fetch(`${url}${path}/${id}`));
    expect(await show()).toMatchObject({ status: 'pending', progress: 0, completed_at: null });
    const attempt = await engine.begin();
    await attempt.progress(0.42);
    expect(await show()).toMatchObject({ status: 'processing', progress: 42 });
    await attempt.fail('timeout', 'Video generation timed out after 10 minutes');
    expect(await show()).toMatchObject({
      status: 'failed',
      output_url: null,
      error: {
        message: 'Video generation timed out after 10 minutes',
        type: 'server_error',
        code: 'generation_timeout',
      },
    });
    expect(await bodyOf(fetch(`${url}/api/generate/status/${id}`))).toMatchObject({
      id,
      type: 'VIDEO_GENERATION',
      status: 'FAILED',
    });
  });

  it('knows neither an unknown id nor a job that is no video', async () => {
    const { url } = await startServer();
    const { id } = await bodyOf(
      fetch(`${url}/api/generate/background-removal`, { method: 'POST', body: pictureForm() }),
    );
    for (const wrong of ['vgen_unknown', id, 'batch']) {
      const answer = await fetch(`${url}${path}/${wrong}`);
      expect([answer.status, (await errorOf(answer)).code]).toEqual([404, 'not_found']);
    }
  });
});

describe('POST /v1/video/generations/{id}/cancel', () => {
  it('ends the job, which then has failed', async () => {
    const { url } = await startServer();
    const { id } = await bodyOf<Video>(fetch(url + path, { method: 'POST', body: pictureForm({ prompt: 'Zoom in' }) }));
    const answer = await bodyOf<Video>(fetch(`${url}${path}/${id}/cancel`, { method: 'POST' }));
    expect(answer).toMatchObject({ id, status: 'failed', error: { code: 'cancelled' } });
  });
});

describe('POST /v1/video/generations/batch', () => {
  it('takes the sample of the API page and follows it to its end', async () => {
    const { url, shop, receiver, engine } = await startWithNeighbours();
    const sample = {
      prompts: [
        { prompt: 'Product showcase video, rotating 360 degrees', image_url: `${shop.url}/product1.png` },
        { prompt: 'Social media clip, dynamic transitions' },
        { prompt: 'Aerial drone shot over mountains at sunset' },
      ],
      model: 'auto',
      aspect_ratio: '16:9',
      duration: 5,
      webhook_url: receiver.url,
    };
    const answer = await fetch(`${url}${path}/batch`, json(sample));
    const batch = await bodyOf<Batch>(answer);
    expect(answer.status).toBe(202);
    expect(batch).toMatchObject({
      batch_id: expect.stringMatching(/^video_batch_[0-9a-f]{24}$/),
      total_jobs: 3,
      jobs: sample.prompts.map(({ prompt }) => ({
        id: expect.stringMatching(/^vid_[0-9a-f]{24}$/),
        prompt,
        status: 'pending',
        credits: 0,
      })),
      credits_charged: 0,
    });
    for (let job = 0; job < 3; job += 1) await (await engine.begin()).finish(Buffer.from('a clip'), 'mp4');
    expect(await bodyOf<Batch>(fetch(`${url}${path}/batch/${batch.batch_id}`))).toMatchObject({
      batch_id: batch.batch_id,
      total_jobs: 3,
      completed: 3,
      failed: 0,
      pending: 0,
      processing: 0,
      jobs: sample.prompts.map(({ prompt, image_url = null }, index) => ({
        id: batch.jobs[index]?.id,
        prompt,
        image_url,
        status: 'completed',
        output_url: expect.stringMatching(/\.mp4$/),
        error_message: null,
        credits: 0,
      })),
    });
    const [letter] = await receiver.got(1);
    expect(letter?.headers).toMatchObject({
      'x-creativeai-event': 'video.batch.completed',
      'x-creativeai-delivery-id': batch.batch_id,
    });
    expect(JSON.parse(letter?.body ?? '')).toMatchObject({
      batch_id: batch.batch_id,
      object: 'video.batch',
      status: 'completed',
      total_jobs: 3,
      completed: 3,
      failed: 0,
      total_credits: 0,
    });
    const [first] = batch.jobs;
    expect((await bodyOf<Video>(fetch(`${url}${path}/${first?.id}`))).status).toBe('completed');
  });

  it('runs twenty of which two are bad and one is slow: eighteen are made, the slow one last', async () => {
    const { url, shop, engine } = await startWithNeighbours();
    const prompts: object[] = Array.from({ length: 20 }, (_, index) => ({
      prompt: `Product ${index}`,
      image_url: `${shop.url}/${index}.png`,
    }));
    prompts[4] = { prompt: 'Product 4', image_url: `${shop.url}/missing.png` };
    prompts[9] = { prompt: 'Product 9', duration: 99 };
    const batch = await bodyOf<Batch>(fetch(`${url}${path}/batch`, json({ prompts, duration: 3 })));
    const slow = await engine.begin();
    for (let job = 0; job < 17; job += 1) await (await engine.begin()).finish(Buffer.from('a clip'), 'mp4');
    const show = () => bodyOf<Batch>(fetch(`${url}${path}/batch/${batch.batch_id}`));
    const before = await show();
    expect(before).toMatchObject({ status: 'processing', completed: 17, failed: 2, pending: 0, processing: 1 });
    expect(before.jobs[4]?.error_message).toBe('image_url: expected 127.0.0.1 to have the file, got status 404');
    expect(before.jobs[9]?.error_message).toContain('Expected `duration` to be a whole number from 3 to 15, got 99');
    await slow.finish(Buffer.from('a clip'), 'mp4');
    expect(await show()).toMatchObject({ status: 'completed', completed: 18, failed: 2, processing: 0 });
  });

  it.each([
    [{ prompts: [] }, 'got 0'],
    [{ prompts: Array(21).fill({ prompt: 'Zoom in' }) }, 'got 21'],
    [{ prompt: 'Zoom in' }, 'got none'],
  ])('refuses a list that is none of 1 to 20: %#', async (body, got) => {
    const { url } = await startServer();
    const answer = await fetch(`${url}${path}/batch`, json(body));
    expect([answer.status, await errorOf(answer)]).toMatchObject([
      400,
      { param: 'prompts', message: `Expected \`prompts\` to be a list of 1 to 20, ${got}` },
    ]);
  });

  it('takes prompts alone, and what is an item’s own over what all share', async () => {
    const { url, engine } = await startServer();
    const prompts = ['Zoom in', { prompt: 'Pan left', duration: 8, aspect_ratio: '1:1' }];
    const { jobs } = await bodyOf<Batch>(fetch(`${url}${path}/batch`, json({ prompts, duration: 3 })));
    const params = await Promise.all(jobs.map(async ({ id }) => (await engine.get(id)).params));
    expect(params).toMatchObject([
      { prompt: 'Zoom in', duration: 3 },
      { prompt: 'Pan left', duration: 8, aspect_ratio: '1:1' },
    ]);
  });

  it('makes one clip of each picture of a form', async () => {
    const { url, engine } = await startServer();
    const form = new FormData();
    for (const name of ['shoe.jpg', 'bag.jpg']) form.append('images', new Blob([new Uint8Array(picture)]), name);
    form.set('prompt', 'Slow push in');
    const { jobs } = await bodyOf<Batch>(fetch(`${url}${path}/batch`, { method: 'POST', body: form }));
    expect(jobs).toMatchObject([
      { prompt: 'Slow push in', image_name: 'shoe.jpg' },
      { prompt: 'Slow push in', image_name: 'bag.jpg' },
    ]);
    expect((await engine.get(jobs[1]?.id ?? '')).inputs).toHaveLength(1);
  });

  it('can be cancelled', async () => {
    const { url } = await startServer();
    const body = json({ prompts: ['Zoom in', 'Zoom out'] });
    const { batch_id } = await bodyOf<Batch>(fetch(`${url}${path}/batch`, body));
    const cancelled = await bodyOf<Batch>(fetch(`${url}${path}/batch/${batch_id}/cancel`, { method: 'POST' }));
    expect(cancelled.jobs.map(({ status }) => status)).toEqual(['failed', 'failed']);
  });
});

describe('/api/v1/model', () => {
  it('makes a video and shows it as a prediction', async () => {
    const { url, engine } = await startServer();
    const answer = await fetch(`${url}/api/v1/model/generateVideo`, {
      method: 'POST',
      body: pictureForm({ prompt: 'Zoom in', duration: '3' }),
    });
    const { id } = await bodyOf<Video>(answer);
    expect(answer.status).toBe(202);
    const show = () => bodyOf<Video>(fetch(`${url}/api/v1/model/prediction/${id}`));
    expect(await show()).toMatchObject({
      prediction_id: id,
      object: 'video.generation',
      status: 'pending',
      output: [],
    });
    await (await engine.begin()).finish(Buffer.from('a clip'), 'mp4');
    const made = await until(async () => {
      const prediction = await show();
      return prediction.status === 'completed' && prediction;
    });
    expect(made).toMatchObject({ output: [made.output_url], model_actual: 'local-motion-i2v' });
  });

  it('shows a prediction of any kind, and none of another key', async () => {
    const { url, engine } = await startServer({ auth: 'required' });
    const headers = async () => ({ Authorization: `Bearer ${(await engine.keys.create('k')).secret}` });
    const [mine, theirs] = [await headers(), await headers()];
    const cutout = { method: 'POST', body: pictureForm(), headers: mine };
    const { id } = await bodyOf(fetch(`${url}/api/generate/background-removal`, cutout));
    const prediction = await fetch(`${url}/api/v1/model/prediction/${id}`, { headers: mine });
    expect(await bodyOf(prediction)).toMatchObject({ object: 'background_removal.generation', status: 'pending' });
    expect((await fetch(`${url}/api/v1/model/prediction/${id}`, { headers: theirs })).status).toBe(404);
  });
});
