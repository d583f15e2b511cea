import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readConfig } from '#src/engine/config.js';
import { knownModels, readProviderSettings } from '#src/engine/provider-settings.js';
import { tempFolder } from '../helpers/temp-folder.js';

const read = (env: Record<string, string>) => readProviderSettings(readConfig(env));
const readJson = (settings: unknown) => read({ DARKROOM_PROVIDERS: JSON.stringify(settings) });

describe('readProviderSettings', () => {
  it('is empty without a key: nothing is sent anywhere', () => {
    expect(read({})).toEqual([]);
    expect(readJson({ kling: { baseUrl: 'https://example.com' } })).toEqual([]);
  });

  it('takes keys from the environment, several and pairs, and names them by a digest', () => {
    const [kling, fal] = read({ DARKROOM_KLING_KEYS: 'one, access:secret', DARKROOM_FAL_KEYS: 'id:secret' });
    expect(kling?.credentials).toMatchObject([
      { key: 'one', name: expect.stringMatching(/^kling-[0-9a-f]{8}$/) },
      { key: '', accessKey: 'access', secretKey: 'secret' },
    ]);
    // fal's own keys have a colon in them.
    expect(fal?.credentials).toMatchObject([{ key: 'id:secret' }]);
    const [swapped] = read({ DARKROOM_KLING_KEYS: 'access:secret,one' });
    expect(swapped?.credentials[1]?.name).toBe(kling?.credentials[0]?.name);
  });

  it('takes addresses, names, secrets and intervals from a file', async () => {
    const path = join(await tempFolder(), 'providers.json');
    const keys = ['plain', { name: 'pair', accessKey: 'a', secretKey: 's' }];
    await writeFile(
      path,
      JSON.stringify({ kling: { baseUrl: 'https://a.example/', keys, callbackSecret: 'x', pollSeconds: 9 } }),
    );
    const [kling] = read({ DARKROOM_PROVIDERS: path });
    expect(kling).toMatchObject({
      baseUrl: 'https://a.example',
      credentials: [{ key: 'plain' }, { name: 'pair', accessKey: 'a', secretKey: 's' }],
      callbackSecret: 'x',
      pollMs: 9_000,
    });
  });

  it('changes, adds and takes out lines of the table of models', () => {
    const [kling] = readJson({
      kling: {
        keys: ['k'],
        models: {
          'kling-v3-t2v': { upstream: 'kling-3.0', options: { generation: 'v3' }, price: 7 },
          'kling-v3-i2v': null,
          'kling-v4-t2v': {
            operation: 'video-generation',
            upstream: 'kling-v4',
            capabilities: { input: ['text'], duration: { min: 3, max: 30 } },
          },
        },
      },
    });
    const rows = Object.fromEntries(kling?.rows.map((row) => [row.model, row]) ?? []);
    expect(Object.keys(rows)).toEqual(['kling-o3-pro-t2v', 'kling-o3-pro-i2v', 'kling-v3-t2v', 'kling-v4-t2v']);
    expect(rows['kling-v3-t2v']).toMatchObject({
      upstream: 'kling-3.0',
      price: 7,
      settled: ['price'],
      names: expect.arrayContaining(['kling-v3']),
    });
    expect(rows['kling-v4-t2v']).toMatchObject({ names: [], price: 0 });
  });

  it('has Veo only when it is asked for', () => {
    const models = (env: Record<string, string>) =>
      read({ DARKROOM_GEMINI_KEYS: 'k', ...env }).flatMap(({ rows }) => rows.map(({ model }) => model));
    expect(models({})).not.toContain('veo-3.1-t2v');
    expect(models({ DARKROOM_GEMINI_VEO: '1' })).toContain('veo-3.1-t2v');
  });

  it('needs the models of a gateway to be named', () => {
    const gateway = { baseUrl: 'https://gateway.example/v1', keys: ['k'] };
    expect(readJson({ 'openai-videos': gateway })).toEqual([]);
    const models = { wan: { operation: 'video-generation', upstream: 'wan2.6', capabilities: { input: ['text'] } } };
    expect(readJson({ 'openai-videos': { ...gateway, models } })).toMatchObject([{ rows: [{ model: 'wan' }] }]);
  });

  it.each([
    ['{"kling": {"keys": ["s3cret"], }}', /expected JSON/],
    ['{"klang": {"keys": ["s3cret"]}}', /klang/],
    ['{"kling": {"key": "s3cret"}}', /key/],
    ['{"kling": {"keys": ["s3cret"], "models": {"new": {"upstream": "x"}}}}', /needs operation/],
    ['/nowhere/providers.json', /cannot be read \(ENOENT\)/],
  ])('refuses %s, and repeats no key', (setting, reason) => {
    const attempt = () => read({ DARKROOM_PROVIDERS: setting });
    expect(attempt).toThrow(reason);
    expect(attempt).not.toThrow(/s3cret/);
  });
});

describe('knownModels', () => {
  it('has every model of the public API that makes clips', () => {
    const named = ['kling-o3-pro', 'kling-o3-pro-t2v', 'kling-v3', 'seedance-1.5-pro', 'seedance-t2v', 'seedance-i2v'];
    expect(knownModels('video-generation')).toEqual(expect.arrayContaining(named));
    expect(knownModels('video-generation')).not.toContain('flux-pro');
    expect(knownModels('image-generation')).toContain('flux-pro');
  });
});
