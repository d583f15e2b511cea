import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, onTestFinished, test } from 'vitest';
import { EngineError } from '#src/engine/errors.js';
import { probeClip } from '#src/engine/media/ffmpeg.js';
import { parseParams } from '#src/engine/operations/params.js';
import { videoGeneration } from '#src/engine/operations/video-generation.js';
import { type BenchOptions, openWorkbench, type TestBench } from '../../helpers/workbench.js';

function parsed(raw: Record<string, unknown>) {
  return parseParams(videoGeneration, raw).params;
}

async function openBench(options: Partial<BenchOptions> = {}): Promise<TestBench> {
  const bench = await openWorkbench({
    input: async (folder) => {
      const path = join(folder, 'photo.png');
      const noise = { type: 'gaussian', mean: 128, sigma: 40 } as const;
      const picture = sharp({ create: { width: 160, height: 120, channels: 3, background: '#808080', noise } });
      await picture.blur(2).toFile(path);
      return path;
    },
    ...options,
  });
  onTestFinished(() => bench.close());
  return bench;
}

describe('the params of a clip', () => {
  test('have defaults', () => {
    expect(parsed({ prompt: ' slow zoom in ' })).toEqual({
      model: 'auto',
      prompt: 'slow zoom in',
      duration: 5,
      resolution: '720p',
      fps: 30,
      motion: 'auto',
      scene: 'auto',
      easing: 'ease',
      failover: true,
      bg_color: '#f4f4f2',
      format: 'mp4',
      ai_director_mode: false,
      transition: 'cut',
      loop: false,
      sound: false,
    });
  });

  test('come as text too, from a form or a command line', () => {
    const sent = { duration: '3', fps: '24', zoom: '4', pan: '[1, -2]', camera: '{"roll": 3}', loop: 'true' };
    expect(parsed({ ...sent, prompt: 'x', multi_shot_prompts: '["a", "b"]' })).toMatchObject({
      duration: 3,
      fps: 24,
      zoom: [4],
      pan: [1, -2],
      camera: [{ roll: 3 }],
      loop: true,
      multi_shot_prompts: ['a', 'b'],
    });
  });

  test.each([
    [{ prompt: 'x'.repeat(5001) }, 'prompt'],
    [{ prompt: 'x', duration: 2 }, 'duration'],
    [{ prompt: 'x', duration: 16 }, 'duration'],
    [{ prompt: 'x', duration: 4.5 }, 'duration'],
    [{ prompt: 'x', aspect_ratio: '2:1' }, 'aspect_ratio'],
    [{ prompt: 'x', resolution: '4k' }, 'resolution'],
    [{ prompt: 'x', fps: 25 }, 'fps'],
    [{ prompt: 'x', zoom: 11 }, 'zoom'],
    [{ prompt: 'x', camera: { dolly: 1 } }, 'camera'],
    [{ prompt: 'x', camera: 'left' }, 'camera'],
    [{ prompt: 'x', multi_shot_prompts: ['a', 'b', 'c', 'd', 'e', 'f'] }, 'multi_shot_prompts'],
    [{ prompt: 'x', multi_shot_prompts: ['x'.repeat(513)] }, 'multi_shot_prompts'],
    [{ prompt: 'x', cfg_scale: 1.5 }, 'cfg_scale'],
  ])('%j are refused for their %s', (raw, param) => {
    expect(() => parsed(raw)).toThrow(
      expect.objectContaining({
        code: 'invalid_input',
        details: { param },
        message: expect.not.stringMatching(/Invalid/),
      }),
    );
  });
});

describe('the order of a clip', () => {
  test('says in the words of the router what is asked for', () => {
    const params = parsed({
      prompt: 'A chair',
      multi_shot_prompts: ['A close-up'],
      camera: [{ zoom: 4 }, { pan: 2 }],
      aspect_ratio: '9:16',
      sound: true,
      cfg_scale: 0.7,
    });
    const inputs = [{ field: 'style_reference' }, { field: 'image' }, { field: 'character_references' }];
    expect(videoGeneration.order?.(params, inputs)).toEqual({
      kind: 'video',
      prompt: 'A chair',
      negativePrompt: null,
      duration: 5,
      ratio: '9:16',
      resolution: '720p',
      shots: ['A chair', 'A close-up'],
      isDirected: false,
      sound: true,
      camera: { zoom: 4 },
      seed: null,
      cfgScale: 0.7,
      localOnly: [],
      pictures: [
        { role: 'style', input: 0 },
        { role: 'first-frame', input: 1 },
        { role: 'reference', input: 2 },
      ],
    });
  });
});

describe('a clip of a picture', () => {
  test.each([
    ['21:9', '480p', 24, 1120, 480],
    ['16:9', '480p', 24, 854, 480],
    ['1:1', '480p', 30, 480, 480],
    ['9:16', '480p', 24, 480, 854],
    [undefined, '480p', 60, 640, 480],
  ] as const)('of ratio %s at %s and %d fps has frames of %d × %d, exactly as many as asked for', async (...row) => {
    const [aspect_ratio, resolution, fps, width, height] = row;
    const bench = await openBench();
    const outcome = await videoGeneration.perform(
      bench,
      parsed({ prompt: 'zoom in', duration: 3, aspect_ratio, resolution, fps }),
    );
    expect(outcome).toMatchObject({ modelActual: 'local-motion-i2v', warnings: [] });
    const [output] = outcome.outputs;
    expect(output).toMatchObject({ format: 'mp4', contentType: 'video/mp4', width, height });
    expect(await probeClip(output?.path ?? '')).toMatchObject({ width, height, fps, frames: 3 * fps, seconds: 3 });
  });

  test('stops between two frames', async () => {
    let frames = 0;
    const bench = await openBench({
      onCheckpoint: (stage) => {
        if (stage === 'render' && ++frames > 10) throw new EngineError('cancelled', 'The job was cancelled');
      },
    });
    const making = videoGeneration.perform(bench, parsed({ prompt: 'zoom in', resolution: '480p' }));
    await expect(making).rejects.toMatchObject({ code: 'cancelled' });
    expect(frames).toBe(11);
  });

  test('says what this machine can’t do', async () => {
    const bench = await openBench();
    const params = parsed({
      prompt: 'zoom in',
      duration: 3,
      resolution: '480p',
      sound: true,
      camera_angle: 'isometric',
    });
    const { warnings } = await videoGeneration.perform(bench, params);
    expect(warnings).toEqual([
      expect.stringMatching(/^`sound` was not used: /),
      expect.stringMatching(/^`camera_angle` was not used: /),
    ]);
  });
});

describe('a clip of a product', () => {
  test.each([
    [{ prompt: 'A turntable of the box' }, 'turntable'],
    [{ scene: 'studio', zoom: 3 }, 'studio'],
  ])('of %j is filmed on a %s', async (raw, scene) => {
    const bench = await openBench({
      input: async (folder) => {
        const path = join(folder, 'box.png');
        const box = sharp({ create: { width: 80, height: 60, channels: 4, background: '#aa3311' } });
        const transparent = { r: 0, g: 0, b: 0, alpha: 0 };
        await box.extend({ top: 20, bottom: 20, left: 20, right: 20, background: transparent }).png().toFile(path);
        return path;
      },
    });
    const outcome = await videoGeneration.perform(bench, parsed({ ...raw, duration: 3, fps: 24, resolution: '480p' }));
    expect(outcome).toMatchObject({ warnings: [], facts: { scene } });
    expect(await probeClip(outcome.outputs[0]?.path ?? '')).toMatchObject({ frames: 72 });
  });

  test('whose subject can’t be told says that the camera moves through the picture instead', async () => {
    const bench = await openBench();
    const params = parsed({ motion: 'turntable', duration: 3, fps: 24, resolution: '480p' });
    const { warnings, facts } = await videoGeneration.perform(bench, params);
    expect(facts).toMatchObject({ scene: 'picture' });
    expect(warnings).toEqual([expect.stringMatching(/^No subject was found/)]);
  });

  test('from several views spins through them', async () => {
    const bench = await openBench({
      inputs: async (folder) => {
        const views = [0, 20, 40].map(async (left) => {
          const path = join(folder, `view-${left}.png`);
          const ground = sharp({ create: { width: 120, height: 90, channels: 3, background: '#cccccc' } });
          const thing = { create: { width: 40, height: 40, channels: 3, background: '#223366' } } as const;
          await ground
            .composite([{ input: thing, left: 20 + left, top: 25 }])
            .png()
            .toFile(path);
          return path;
        });
        return { image: [], views: await Promise.all(views) };
      },
    });
    const params = parsed({ duration: 3, fps: 24, resolution: '480p', loop: true });
    const { warnings, facts } = await videoGeneration.perform(bench, params);
    expect(facts).toMatchObject({ scene: 'spin', width: 640, height: 480 });
    expect(warnings).toEqual([expect.stringContaining('between 3 views was guessed')]);
  });

  test('from several cut-outs turns on a studio floor', async () => {
    const bench = await openBench({
      inputs: async (folder) => {
        const views = [30, 60, 30, 60].map(async (width, view) => {
          const path = join(folder, `view-${view}.png`);
          const thing = sharp({ create: { width, height: 50, channels: 4, background: '#223366' } });
          const [beside, transparent] = [(120 - width) / 2, { r: 0, g: 0, b: 0, alpha: 0 }];
          const room = { top: 20, bottom: 20, left: beside, right: beside, background: transparent };
          await thing.extend(room).png().toFile(path);
          return path;
        });
        return { image: [], views: await Promise.all(views) };
      },
    });
    const params = parsed({ duration: 3, fps: 24, resolution: '480p', loop: true, scene: 'studio' });
    const { warnings, facts, outputs } = await videoGeneration.perform(bench, params);
    expect(facts).toMatchObject({ scene: 'spin', width: 640, height: 480 });
    expect(warnings).toEqual([expect.stringContaining('between 4 views was worked out from their outlines')]);
    expect(await probeClip(outputs[0]?.path ?? '')).toMatchObject({ frames: 72 });
  });
});

test('a clip of words alone says that a backend is missing', async () => {
  const bench = await openBench({ inputs: async () => ({ image: [] }) });
  await expect(videoGeneration.perform(bench, parsed({ prompt: 'A city' }))).rejects.toMatchObject({
    code: 'provider_unavailable',
    message: expect.stringContaining('image_url'),
  });
});
