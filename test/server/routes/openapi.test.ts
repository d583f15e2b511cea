import { describe, expect, it } from 'vitest';
import { bodyOf, startServer } from '../harness.js';

interface Document {
  openapi: string;
  servers: { url: string }[];
  paths: Record<string, { post?: { requestBody: { content: Record<string, { schema: Schema }> } } }>;
}
interface Schema {
  properties: Record<string, Record<string, unknown>>;
  required: string[];
}

describe('GET /openapi.json', () => {
  it.each(['/openapi.json', '/v1/openapi.json'])('describes every operation at %s, without a key', async (path) => {
    const { url, engine } = await startServer();
    const { openapi, servers, paths } = await bodyOf<Document>(fetch(url + path));
    expect([openapi, servers[0]?.url]).toEqual(['3.1.0', url]);
    for (const { name, syncPaths } of engine.operations) {
      for (const each of [`/api/generate/${name}`, ...syncPaths.map((sync) => `/v1/images/${sync}`)]) {
        expect(paths[each]?.post, each).toBeDefined();
      }
    }
  });

  it('has every option with its description, and the pictures as files and as addresses', async () => {
    const { url, engine } = await startServer();
    const { paths } = await bodyOf<Document>(fetch(`${url}/openapi.json`));
    for (const { name, params, pictures } of engine.operations) {
      const content = paths[`/api/generate/${name}`]?.post?.requestBody.content;
      const [form, json] = [content?.['multipart/form-data']?.schema, content?.['application/json']?.schema];
      for (const option of Object.keys(params.shape)) {
        expect(form?.properties[option], `${name}: ${option}`).toMatchObject({ description: expect.any(String) });
      }
      for (const { field } of pictures) {
        expect(form?.properties[field]).toBeDefined();
        expect(json?.properties[`${field}_url`]).toBeDefined();
      }
    }
  });

  it('says what must come', async () => {
    const { url } = await startServer();
    const { paths } = await bodyOf<Document>(fetch(`${url}/openapi.json`));
    const content = paths['/api/generate/super-resolution']?.post?.requestBody.content;
    expect(content?.['multipart/form-data']?.schema.required).toEqual(['image']);
    expect(content?.['application/json']?.schema.required).toEqual(['image_url']);
  });
});
