import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { decideDevice } from '#src/engine/host/device.js';
import { graphicsFacts } from '#src/engine/probe/runtime.js';
import { testSettings } from '../../fixtures/host/settings.js';

const none = { devices: [], driver: '' };

describe('decideDevice', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'darkroom-device-'));
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('takes the CPU when that is set', async () => {
    expect(await decideDevice(testSettings())).toEqual({ device: 'cpu', reason: 'DARKROOM_DEVICE=cpu' });
  });

  it('takes the CPU without a trial on a Linux that shows no GPU', async () => {
    const settings = testSettings({ device: 'auto' });
    const choice = await decideDevice(settings, { platform: 'linux', graphics: none });
    expect(choice).toEqual({ device: 'cpu', reason: 'this machine shows no GPU' });
  });

  it.each([
    [{ device: 'cpu' } as const, 'DARKROOM_REQUIRE_GPU=1 contradicts DARKROOM_DEVICE=cpu; unset one of them'],
    [{ device: 'auto' } as const, 'DARKROOM_REQUIRE_GPU=1, but no GPU can be used: this machine shows no GPU'],
  ])('refuses the CPU where a GPU is required (%o)', async (changes, message) => {
    const settings = testSettings({ ...changes, requireGpu: true });
    await expect(decideDevice(settings, { platform: 'linux', graphics: none })).rejects.toMatchObject({
      code: 'unsupported',
      message,
    });
  });

  it.skipIf(process.platform === 'darwin')('says what a demanded device lacks and what to do', async () => {
    const trial = decideDevice(testSettings({ device: 'coreml' }));
    await expect(trial).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringMatching(
        /^DARKROOM_DEVICE=coreml can't be used: .*backend not found.* needs macOS .*DARKROOM_DEVICE=auto/,
      ),
    });
  });

  it.skipIf(graphicsFacts().devices.length > 0 || process.platform !== 'linux')(
    'tries what the machine seems to have, tells why it is not taken and does not try again the same day',
    async () => {
      const measurementsFile = join(folder, 'machine.json');
      const settings = testSettings({ device: 'auto', measurementsFile });
      const graphics = { devices: ['nvidia0', 'nvidiactl'], driver: '1' };
      const options = { platform: 'linux' as const, graphics };
      const choice = await decideDevice(settings, options);
      expect(choice).toEqual({ device: 'cpu', reason: expect.stringMatching(/^cuda: .*; webgpu: .*/) });

      const kept = JSON.parse(readFileSync(measurementsFile, 'utf8'));
      kept.device.value.reason = 'as found before';
      writeFileSync(measurementsFile, JSON.stringify(kept));
      expect(await decideDevice(settings, options)).toEqual({ device: 'cpu', reason: 'as found before' });
    },
  );
});
