import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Config, readConfig } from '#src/engine/config.js';
import { checkModels } from '#src/engine/doctor/doctor.js';
import { checkDataFolder, checkDisk, checkMemory, checkNode, checkSettings } from '#src/engine/doctor/machine.js';
import { checkDevice, checkFfmpeg, checkFonts } from '#src/engine/doctor/tools.js';
import { tempFolder } from '../../helpers/temp-folder.js';
import { install, tinyUpscaler } from '../../helpers/tiny-models.js';

const configOf = async (settings: Record<string, string> = {}): Promise<Config> =>
  readConfig({ DARKROOM_DATA: await tempFolder(), ...settings });

describe('the doctor', () => {
  test('wants Node 20.19', () => {
    expect(checkNode('22.1.0').state).toBe('good');
    expect(checkNode('20.19.0').state).toBe('good');
    expect(checkNode('20.18.3')).toMatchObject({ state: 'bad', next: 'install Node 20.19 or newer' });
  });

  test('names settings that there are not', () => {
    expect(checkSettings([]).state).toBe('good');
    expect(checkSettings(['DARKROOM_PROT'])).toMatchObject({
      state: 'fair',
      says: expect.stringContaining('DARKROOM_PROT'),
    });
  });

  test.skipIf(process.getuid?.() === 0)(
    'finds a data folder that cannot be written (not as root, who can)',
    async () => {
      const config = await configOf();
      expect((await checkDataFolder(config)).state).toBe('good');
      await chmod(config.DARKROOM_DATA, 0o500);
      expect(await checkDataFolder(config)).toMatchObject({
        state: 'bad',
        next: expect.stringContaining('DARKROOM_DATA'),
      });
      await chmod(config.DARKROOM_DATA, 0o700);
    },
  );

  test('finds a data folder that is a file', async () => {
    const path = join(await tempFolder(), 'data');
    await writeFile(path, '');
    expect((await checkDataFolder(readConfig({ DARKROOM_DATA: path }))).state).toBe('bad');
  });

  test('finds a disk that is full, or nearly', async () => {
    const config = await configOf({ DARKROOM_MIN_FREE_MB: '512' });
    expect(await checkDisk(config, async () => 1e6)).toMatchObject({
      state: 'bad',
      says: expect.stringContaining('1 MB free'),
    });
    expect((await checkDisk(config, async () => 1e9)).state).toBe('fair');
    expect((await checkDisk(config, async () => 1e11)).state).toBe('good');
  });

  test('finds a machine that is too small for the memory that models may take', async () => {
    const config = await configOf({ DARKROOM_MODEL_MEMORY_MB: '2048' });
    expect(checkMemory(config, 16e9).state).toBe('good');
    expect(checkMemory(config, 2e9)).toMatchObject({
      state: 'fair',
      next: expect.stringContaining('DARKROOM_MODEL_MEMORY_MB to 1000'),
    });
  });

  test('finds an ffmpeg that is none, and fonts where there are some', async () => {
    const config = await configOf({ DARKROOM_FFMPEG: '/nowhere/ffmpeg' });
    expect(await checkFfmpeg(config)).toMatchObject({
      state: 'fair',
      next: expect.stringContaining('DARKROOM_FFMPEG'),
    });
    const folder = await tempFolder();
    expect(await checkFonts([folder])).toMatchObject({ state: 'fair', next: expect.stringContaining('apt install') });
    await mkdir(join(folder, 'truetype'));
    await writeFile(join(folder, 'truetype/Sans.TTF'), '');
    expect(await checkFonts([folder])).toMatchObject({ state: 'good', says: '1 installed' });
  });

  test('says where models run, and when a demanded device cannot be had', async () => {
    expect(await checkDevice(await configOf({ DARKROOM_DEVICE: 'cpu' }))).toMatchObject({
      says: expect.stringContaining('on cpu'),
    });
    const impossible = await configOf({ DARKROOM_DEVICE: 'cpu', DARKROOM_REQUIRE_GPU: '1' });
    expect(await checkDevice(impossible)).toMatchObject({
      state: 'bad',
      next: expect.stringContaining('DARKROOM_REQUIRE_GPU'),
    });
  });

  test('reads the models, and names those that are damaged or that a licence forbids', async () => {
    const config = await configOf();
    const found = async () => {
      const all = [];
      for await (const { topic, state, says } of checkModels(config)) all.push({ topic, state, says });
      return all;
    };
    expect(await found()).toEqual([
      { topic: 'bundled models', state: 'good', says: expect.stringContaining('cutout') },
      { topic: 'pulled models', state: 'good', says: expect.stringContaining('none') },
    ]);
    const models = join(config.DARKROOM_DATA, 'models');
    const [bound, damaged] = [tinyUpscaler(2), tinyUpscaler(4)];
    bound.entry = { ...bound.entry, commercialUse: false };
    damaged.bytes = damaged.bytes.map((byte, index) => (index === 300 ? byte ^ 1 : byte));
    for (const model of [bound, damaged]) {
      await install(model, models);
      await writeFile(join(models, model.entry.id, 'model.json'), JSON.stringify(model.entry));
    }
    expect((await found()).filter(({ state }) => state === 'fair')).toEqual([
      { topic: 'pulled models', state: 'fair', says: expect.stringMatching(/tiny-upscaler-x4.*sha256/) },
      { topic: 'pulled models', state: 'fair', says: expect.stringMatching(/tiny-upscaler-x2.*ALLOW_NONCOMMERCIAL/) },
    ]);
  });
});
