import OpenAI, { toFile } from 'openai';
import { describe, expect, it } from 'vitest';
import { errorOf, picture, startServer } from '../harness.js';

async function start() {
  const server = await startServer();
  return { ...server, client: new OpenAI({ apiKey: 'none', baseURL: `${server.url}/v1`, maxRetries: 0 }) };
}

describe('the videos of the OpenAI SDK', () => {
  it('are made, asked for and downloaded as they were at OpenAI', async () => {
    const { client, engine } = await start();
    const created = await client.videos.create({
      model: 'sora-2',
      prompt: 'The camera pushes in',
      seconds: '8',
      size: '1280x720',
      input_reference: await toFile(picture, 'product.png', { type: 'image/png' }),
    });
    expect(created).toMatchObject({
      id: expect.stringMatching(/^vgen_/),
      object: 'video',
      status: 'queued',
      progress: 0,
      prompt: 'The camera pushes in',
      seconds: '8',
      size: '1280x720',
      completed_at: null,
      expires_at: null,
      error: null,
      remixed_from_video_id: null,
    });
    expect(created.created_at).toBeLessThanOrEqual(Date.now() / 1000);
    const attempt = await engine.begin();
    expect(attempt.job).toMatchObject({
      params: { model: 'auto', duration: 8, aspect_ratio: '16:9', resolution: '720p' },
      inputs: [{ field: 'image', name: 'product.png' }],
    });
    await attempt.progress(0.5);
    expect(await client.videos.retrieve(created.id)).toMatchObject({ status: 'in_progress', progress: 50 });
    await attempt.finish(Buffer.from('a clip'), 'mp4');
    expect(await client.videos.retrieve(created.id)).toMatchObject({
      status: 'completed',
      progress: 100,
      model_actual: 'local-motion-i2v',
      expires_at: expect.any(Number),
    });
    const content = await client.videos.downloadContent(created.id);
    expect(content.headers.get('content-type')).toBe('video/mp4');
    expect(content.headers.get('cache-control')).toBe('private, no-cache');
    expect(Buffer.from(await content.arrayBuffer()).toString()).toBe('a clip');
  });

  it('take text alone, with OpenAI’s defaults', async () => {
    const { client, engine } = await start();
    const { id } = await client.videos.create({ prompt: 'A quiet street' });
    expect(await engine.get(id)).toMatchObject({
      params: { model: 'auto', duration: 4, aspect_ratio: '9:16', resolution: '720p' },
      inputs: [],
      warnings: [],
    });
  });

  it('follow the shape of a picture when no size is asked for, also by address and as JSON', async () => {
    const { client, engine, url } = await start();
    const image_url = `data:image/png;base64,${picture.toString('base64')}`;
    const { id } = await client.videos.create({ prompt: 'Zoom in', input_reference: { image_url } });
    const { params, inputs } = await engine.get(id);
    expect([params.aspect_ratio, inputs.length]).toEqual([undefined, 1]);
    const answer = await fetch(`${url}/v1/videos`, {
      method: 'POST',
      body: JSON.stringify({ prompt: 'Zoom in', seconds: '4', input_reference: { image_url } }),
      headers: { 'content-type': 'application/json' },
    });
    expect(answer.status).toBe(200);
  });

  it.each([
    ['720x1280', '9:16', '720p'],
    ['1792x1024', '16:9', '1080p'],
    ['1024x1792', '9:16', '1080p'],
    ['480x480', '1:1', '480p'],
    ['1680x720', '21:9', '720p'],
    ['640x480', '4:3', '480p'],
    ['480x640', '3:4', '480p'],
  ])('of %s are %s at %s', async (size, aspect_ratio, resolution) => {
    const { client, engine } = await start();
    const { id } = await client.videos.create({ prompt: 'Zoom in', size: size as '720x1280' });
    expect((await engine.get(id)).params).toMatchObject({ aspect_ratio, resolution });
  });

  it('are refused with the field that the client knows', async () => {
    const { client } = await start();
    const refused = (body: object) =>
      client.videos.create({ prompt: 'Zoom in', ...body }).then(
        () => null,
        (error: InstanceType<typeof OpenAI.APIError>) => [error.status, error.param],
      );
    expect(await refused({ seconds: '99' })).toEqual([400, 'seconds']);
    expect(await refused({ seconds: 'long' })).toEqual([400, 'seconds']);
    expect(await refused({ size: 'large' })).toEqual([400, 'size']);
  });

  it('have no content before they are made, and none but the clip', async () => {
    const { client, url } = await start();
    const { id } = await client.videos.create({ prompt: 'Zoom in' });
    await expect(client.videos.downloadContent(id)).rejects.toMatchObject({ status: 404 });
    const thumbnail = await fetch(`${url}/v1/videos/${id}/content?variant=thumbnail`);
    expect([thumbnail.status, (await errorOf(thumbnail)).param]).toEqual([400, 'variant']);
    await expect(client.videos.retrieve('vgen_unknown')).rejects.toMatchObject({ status: 404 });
  });

  it('say why they failed', async () => {
    const { client, engine } = await start();
    const { id } = await client.videos.create({ prompt: 'Zoom in' });
    await (await engine.begin()).fail('content_policy', 'The service refused the prompt');
    expect(await client.videos.retrieve(id)).toMatchObject({
      status: 'failed',
      error: { code: 'content_policy_violation', message: 'The service refused the prompt' },
    });
  });
});
