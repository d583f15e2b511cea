import { describe, expect, it } from 'vitest';
import { ConfigError, readConfig, settings, unknownSettings } from '#src/engine/config.js';

describe('readConfig', () => {
  it('needs no setting at all', () => {
    const config = readConfig({});
    expect(config).toMatchObject({
      DARKROOM_HOST: '127.0.0.1',
      DARKROOM_PORT: 8787,
      DARKROOM_DEVICE: 'auto',
      DARKROOM_REQUIRE_GPU: false,
    });
    expect(Object.isFrozen(config)).toBe(true);
  });

  it('takes an empty value as not given', () => {
    expect(readConfig({ DARKROOM_PORT: '', DARKROOM_AUTH: '' })).toMatchObject({ DARKROOM_PORT: 8787 });
  });

  it('takes the proxy in capitals or not, capitals first', () => {
    const lower = { https_proxy: 'http://lower:3128', no_proxy: 'localhost' };
    expect(readConfig(lower)).toMatchObject({
      HTTPS_PROXY: 'http://lower:3128',
      NO_PROXY: 'localhost',
      HTTP_PROXY: '',
    });
    expect(readConfig({ ...lower, HTTPS_PROXY: 'http://upper:3128' }).HTTPS_PROXY).toBe('http://upper:3128');
    expect(readConfig({ DARKROOM_MODEL_MIRROR: 'https://m.example/a/' }).DARKROOM_MODEL_MIRROR).toBe(
      'https://m.example/a',
    );
  });

  it.each([
    ['DARKROOM_PORT', 'eighty', /DARKROOM_PORT: expected a whole number, 0\.\.65535, got "eighty"/],
    ['DARKROOM_PORT', '70000', /DARKROOM_PORT: expected at most 65535, got "70000"/],
    ['DARKROOM_DEVICE', 'gpu', /DARKROOM_DEVICE: expected one of auto, cpu, .*, got "gpu"/],
    ['DARKROOM_AUTH', 'maybe', /DARKROOM_AUTH: expected off or required, got "maybe"/],
    ['DARKROOM_REQUIRE_GPU', 'yes', /DARKROOM_REQUIRE_GPU: expected 0 or 1, got "yes"/],
    ['PUBLIC_BASE_URL', 'media.example.com', /PUBLIC_BASE_URL: expected an http\(s\) address/],
    ['PUBLIC_BASE_URL', 'https://media.example.com/?a=1', /PUBLIC_BASE_URL: expected an http\(s\) address/],
    [
      'DARKROOM_WEBHOOK_SECRET',
      'short',
      /DARKROOM_WEBHOOK_SECRET: expected at least 16 characters.*, got 5 characters$/,
    ],
    ['DARKROOM_WEBHOOK_SECRET', 'whsec_not-base-64', /DARKROOM_WEBHOOK_SECRET: expected .* got 17 characters$/],
    ['DARKROOM_WEBHOOK_SCHEDULE', '5,30', /DARKROOM_WEBHOOK_SCHEDULE: expected ascending seconds/],
    ['DARKROOM_WEBHOOK_SCHEDULE', '0,30,5', /DARKROOM_WEBHOOK_SCHEDULE: expected ascending seconds/],
    ['DARKROOM_WEBHOOK_SCHEDULE', '0,,5', /DARKROOM_WEBHOOK_SCHEDULE: expected ascending seconds/],
    ['DARKROOM_MAX_MEGAPIXELS', '0.5', /DARKROOM_MAX_MEGAPIXELS: expected a whole number/],
  ])('names %s and what it should be when it is %s', (name, value, message) => {
    expect(() => readConfig({ [name]: value })).toThrow(ConfigError);
    expect(() => readConfig({ [name]: value })).toThrow(message);
  });

  it('tells every bad setting at once', () => {
    expect(() => readConfig({ DARKROOM_PORT: 'x', DARKROOM_DEVICE: 'y' })).toThrow(
      /DARKROOM_PORT[\s\S]*DARKROOM_DEVICE/,
    );
  });

  it('splits the allow list and trims the base address', () => {
    const config = readConfig({
      DARKROOM_ALLOW_HOSTS: 'nas.lan, 10.0.0.0/8,',
      PUBLIC_BASE_URL: 'https://media.example.com/shop/',
    });
    expect(config.DARKROOM_ALLOW_HOSTS).toEqual(['nas.lan', '10.0.0.0/8']);
    expect(config.PUBLIC_BASE_URL).toBe('https://media.example.com/shop');
  });

  it('reads when webhooks are attempted', () => {
    expect(readConfig({}).DARKROOM_WEBHOOK_SCHEDULE).toEqual([0, 5, 30]);
    const longer = readConfig({ DARKROOM_WEBHOOK_SCHEDULE: '0, 60, 3600, 86400' });
    expect(longer.DARKROOM_WEBHOOK_SCHEDULE).toEqual([0, 60, 3600, 86_400]);
  });

  it('describes every setting for the README', () => {
    for (const [name, schema] of Object.entries(settings.shape)) expect(schema.description, name).toBeTruthy();
  });
});

describe('unknownSettings', () => {
  it('finds misspelt variables of ours and leaves others alone', () => {
    expect(unknownSettings({ DARKROOM_PROT: '1', DARKROOM_PORT: '1', PATH: '/bin' })).toEqual(['DARKROOM_PROT']);
  });
});
