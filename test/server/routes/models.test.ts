import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { bodyOf, errorOf, startServer } from '../harness.js';

describe('GET /v1/models', () => {
  it('lists every model in the shape that the OpenAI client reads, and whether it can be used', async () => {
    const { url } = await startServer();
    const client = new OpenAI({ apiKey: 'none needed', baseURL: `${url}/v1` });
    const { data, object } = await client.models.list();
    expect(object).toBe('list');
    expect(data).toEqual([
      {
        id: 'cutout-s',
        object: 'model',
        created: 0,
        owned_by: 'saliency',
        task: 'background-removal',
        tier: 'bundled',
        licence: 'Apache-2.0',
        commercial_use: true,
        bytes: 5_000_000,
        installed: true,
        available: true,
        problem: null,
      },
    ]);
    expect(await client.models.retrieve('cutout-s')).toEqual(data[0]);
  });

  it('answers 404 for a model that there is not', async () => {
    const { url } = await startServer();
    const answer = await fetch(`${url}/v1/models/gpt-9`);
    expect([answer.status, (await errorOf(answer)).param]).toEqual([404, 'model']);
  });
});

describe('GET /v1/operations', () => {
  it('lists every operation with its paths and its params as JSON schema', async () => {
    const { url } = await startServer();
    const { data } = await bodyOf<{ data: { id: string }[] }>(fetch(`${url}/v1/operations`));
    expect(data.map(({ id }) => id)).toEqual(['background-removal', 'super-resolution']);
    expect(data[1]).toMatchObject({
      type: 'SUPER_RESOLUTION',
      path: '/api/generate/super-resolution',
      sync_paths: ['/v1/images/upscale'],
      image_fields: ['image'],
      parameters: { type: 'object', properties: { format: { enum: ['png', 'webp', 'jpg'] }, scale: { default: 2 } } },
    });
  });
});
