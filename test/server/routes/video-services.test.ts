import { describe, expect, it } from 'vitest';
import { routedEngine } from '../../engine/routing/routed-engine.js';
import { startReceiver } from '../../helpers/receiver.js';
import { bodyOf, serve, until } from '../harness.js';

const path = '/v1/video/generations';

interface Video {
  id: string;
  status: string;
  model_actual: string;
  output_url: string;
  debug?: object;
}

interface Batch {
  batch_id: string;
  status: string;
  completed: number;
  failed: number;
  jobs: { id: string; status: string; error_message: string | null }[];
}

const json = (body: object) => ({
  method: 'POST',
  body: JSON.stringify(body),
  headers: { 'content-type': 'application/json' },
});

/** The real engine and server between fakes of Kling and Ark on one side and a receiver of webhooks on the other. */
async function start() {
  const receiver = await startReceiver();
  const env = { DARKROOM_ALLOW_HOSTS: receiver.host };
  const routed = await routedEngine({ services: ['kling', 'ark'], env });
  const { url } = await serve(routed.engine);
  const submit = (body: object = {}) =>
    fetch(url + path, json({ prompt: 'A drone shot', webhook_url: receiver.url, ...body }));
  return { ...routed, url, receiver, submit };
}

const ended = (url: string, id: string) =>
  until(async () => {
    const video = await bodyOf<Video>(fetch(`${url}${path}/${id}`));
    return (video.status === 'completed' || video.status === 'failed') && video;
  }, 15_000);

describe('a video that a service makes', () => {
  it('shows all that the API page shows of it, from the first answer to the webhook', async () => {
    const { url, submit, receiver } = await start();
    const accepted = await bodyOf<Video>(submit({ duration: 5, aspect_ratio: '16:9' }));
    expect(accepted).toMatchObject({ model: 'auto', status: 'processing', failover_used: false, output_url: null });
    const video = await ended(url, accepted.id);
    expect(video).toMatchObject({
      object: 'video.generation',
      model: 'auto',
      model_actual: 'kling-o3-pro-t2v',
      status: 'completed',
      error: null,
      failover_used: false,
      debug: {
        provider_requested: 'kling-o3-pro-t2v',
        provider_actual: 'kling-o3-pro-t2v',
        submission_failover_used: false,
        submission_failover_reason: null,
        async_capacity_failover_attempted: false,
        async_capacity_failover_reason: null,
        prediction_id_original: 'kling-job-1',
        prediction_id_current: 'kling-job-1',
      },
    });
    expect(Object.keys(video.debug ?? {})).toHaveLength(13);
    expect((await fetch(video.output_url)).headers.get('content-type')).toBe('video/mp4');
    const [letter] = await receiver.got(1);
    expect(JSON.parse(letter?.body ?? '')).toMatchObject({
      id: video.id,
      status: 'completed',
      model_actual: 'kling-o3-pro-t2v',
      output_url: video.output_url,
      failover_used: false,
    });
  });

  it('says that another one had to take it over', async () => {
    const { url, submit, fakes, receiver } = await start();
    fakes.kling?.faults.push({ refuse: 'budget' });
    const { id } = await bodyOf<Video>(submit());
    expect(await ended(url, id)).toMatchObject({ model: 'auto', model_actual: 'seedance-t2v', failover_used: true });
    const answer = await fetch(`${url}${path}/${id}`);
    expect(answer.headers.get('x-model-actual')).toBe('seedance-t2v');
    expect(answer.headers.get('x-failover-used')).toBe('true');
    const [letter] = await receiver.got(1);
    expect(JSON.parse(letter?.body ?? '')).toMatchObject({ model_actual: 'seedance-t2v', failover_used: true });
  });

  it('fails with the reason of the service when its content is refused', async () => {
    const { url, submit, fakes, receiver } = await start();
    fakes.kling?.faults.push({ refuse: 'content' });
    const { id } = await bodyOf<Video>(submit());
    expect(await ended(url, id)).toMatchObject({
      status: 'failed',
      output_url: null,
      error: { code: 'content_policy_violation', type: 'invalid_request_error' },
    });
    const [letter] = await receiver.got(1);
    expect(letter?.headers['x-creativeai-event']).toBe('video.generation.failed');
    expect(JSON.parse(letter?.body ?? '')).toMatchObject({ error: { code: 'content_policy_violation' }, credits: 0 });
  });
});

describe('a batch of twenty videos', () => {
  it('of which two are bad and one is slow is made but for these, and told of when the slow one is done', async () => {
    const { url, fakes, receiver } = await start();
    fakes.kling?.faults.push({ refuse: 'content' }, 'never ends');
    const prompts: object[] = Array.from({ length: 20 }, (_, index) => ({ prompt: `Product ${index}` }));
    prompts[7] = { prompt: 'Product 7', image_url: 'http://127.0.0.1:1/product.png' };
    const body = json({ prompts, duration: 5, webhook_url: receiver.url });
    const { batch_id } = await bodyOf<Batch>(fetch(`${url}${path}/batch`, body));
    const show = () => bodyOf<Batch>(fetch(`${url}${path}/batch/${batch_id}`));
    const before = await until(async () => {
      const batch = await show();
      return batch.completed + batch.failed === 19 && batch;
    }, 20_000);
    expect(before).toMatchObject({ status: 'processing', completed: 17, failed: 2, processing: 1, pending: 0 });
    expect(before.jobs[7]).toMatchObject({ status: 'failed', error_message: expect.stringContaining('image_url') });
    expect(receiver.letters).toEqual([]);
    fakes.kling?.heal();
    const [letter] = await receiver.got(1);
    expect(letter?.headers['x-creativeai-event']).toBe('video.batch.completed');
    expect(JSON.parse(letter?.body ?? '')).toMatchObject({ batch_id, total_jobs: 20, completed: 18, failed: 2 });
    expect(await show()).toMatchObject({ status: 'completed', completed: 18, failed: 2, processing: 0 });
    // The one that was refused, and one for each of the others that got that far.
    expect(fakes.kling?.submissions).toHaveLength(19);
    expect(fakes.kling?.billed).toBe(18);
  }, 40_000);
});
