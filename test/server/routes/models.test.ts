import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { bodyOf, errorOf, pictureForm, startServer } from '../harness.js';

describe('GET /v1/models', () => {
  it('lists every model in the shape that the OpenAI client reads, and whether it can be used', async () => {
    const { url } = await startServer();
    const client = new OpenAI({ apiKey: 'none needed', baseURL: `${url}/v1` });
    const { data, object } = await client.models.list();
    expect(object).toBe('list');
    expect(data.find(({ id }) => id === 'cutout')).toEqual({
      id: 'cutout',
      object: 'model',
      created: 0,
      owned_by: expect.any(String),
      task: 'background-removal',
      tier: 'bundled',
      runs: 'local',
      licence: 'Apache-2.0',
      licence_url: null,
      commercial_use: true,
      bytes: expect.any(Number),
      installed: true,
      available: true,
      problem: null,
      device: 'cpu',
      speed: null,
      latency_ms: null,
      credits: 0,
    });
    expect(data.filter((model) => 'available' in model && !model.available)).not.toEqual([]);
    expect(await client.models.retrieve('cutout')).toEqual(data.find(({ id }) => id === 'cutout'));
  });

  it('tells how fast a model ran here', async () => {
    const { url, engine } = await startServer();
    await fetch(`${url}/api/generate/background-removal`, { method: 'POST', body: pictureForm() });
    await (await engine.begin()).finish(Buffer.from('made'));
    const { speed } = await bodyOf<{ speed: object }>(fetch(`${url}/v1/models/cutout`));
    expect(speed).toEqual({ device: 'cpu', jobs: 1, infer_ms: 12, megapixels_per_second: 0.004 });
  });

  it('answers 404 for a model that there is not', async () => {
    const { url } = await startServer();
    const answer = await fetch(`${url}/v1/models/gpt-9`);
    expect([answer.status, (await errorOf(answer)).param]).toEqual([404, 'model']);
  });
});

describe('GET /v1/operations', () => {
  it('lists every operation with its paths and its params as JSON schema', async () => {
    const { url, engine } = await startServer();
    const { data } = await bodyOf<{ data: { id: string }[] }>(fetch(`${url}/v1/operations`));
    expect(data.map(({ id }) => id)).toEqual(engine.operations.map(({ name }) => name));
    expect(data.find(({ id }) => id === 'super-resolution')).toMatchObject({
      type: 'SUPER_RESOLUTION',
      path: '/api/generate/super-resolution',
      batch: null,
      sync_paths: ['/v1/images/upscale'],
      image_fields: ['image'],
      parameters: {
        type: 'object',
        properties: { scale: { minimum: 1, maximum: 16, default: 2 }, format: { default: 'png' } },
        required: [],
      },
    });
    expect(data.find(({ id }) => id === 'background-removal')).toMatchObject({
      batch: { path: '/api/generate/background-removal/batch', max: 100 },
    });
  });
});
