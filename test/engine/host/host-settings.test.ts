import { describe, expect, it } from 'vitest';
import { readConfig } from '#src/engine/config.js';
import { hostSettings } from '#src/engine/host/host-settings.js';

describe('hostSettings', () => {
  it('measures and limits by default', () => {
    const settings = hostSettings(readConfig({ DARKROOM_DATA: '/data' }));
    expect(settings).toMatchObject({
      device: 'auto',
      requireGpu: false,
      workers: null,
      threads: null,
      modelMemoryMb: 2048,
    });
    expect(settings).toMatchObject({ modelsFolder: '/data/models', measurementsFile: '/data/machine.json' });
    expect(settings.limits).toEqual({ maxBytes: 50_000_000, maxPixels: 50_000_000, maxSide: 30_000 });
  });

  it('takes what is set', () => {
    const config = readConfig({
      DARKROOM_DEVICE: 'cuda',
      DARKROOM_WORKERS: '3',
      DARKROOM_THREADS: '2',
      DARKROOM_REQUIRE_GPU: '1',
    });
    expect(hostSettings(config)).toMatchObject({ device: 'cuda', workers: 3, threads: 2, requireGpu: true });
  });
});
