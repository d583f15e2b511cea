import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { EngineError } from '#src/engine/errors.js';
import { createClipKit } from '#src/engine/media/clip.js';
import { type Ffmpeg, findFfmpeg, probeClip } from '#src/engine/media/ffmpeg.js';
import type { Frame } from '#src/engine/media/media.js';
import type { ClipKit } from '#src/engine/operations/workbench.js';
import { tempFolder } from '../../helpers/temp-folder.js';
import { until } from '../../helpers/until.js';

const size = { width: 64, height: 48 };
const large = { width: 512, height: 384 };

async function openKit(): Promise<ClipKit> {
  return createClipKit({ folder: await tempFolder(), findFfmpeg: () => findFfmpeg(null), threads: 1 });
}

/** Grey frames of very different brightness, in memory that is used again for every third one. */
async function* greys(frames: number, { width, height } = size): AsyncGenerator<Frame> {
  const area = width * height;
  const memory = Array.from({ length: 3 }, () => ({ width, height, data: new Uint8Array(area * 1.5).fill(128) }));
  for (let index = 0; index < frames; index++) {
    const frame = memory[index % 3] as Frame;
    frame.data.fill(brightnessOf(index), 0, area);
    yield frame;
  }
}

function brightnessOf(index: number): number {
  return 20 + ((index * 37) % 200);
}

/** The mean luma of every frame of a clip. */
async function brightness(path: string, { width, height } = size): Promise<number[]> {
  const { path: ffmpeg } = await findFfmpeg(null);
  const args = ['-v', 'error', '-i', path, '-f', 'rawvideo', '-pix_fmt', 'yuv420p', '-'];
  const bytes = execFileSync(ffmpeg, args, { maxBuffer: 1e9 });
  const length = width * height * 1.5;
  return Array.from({ length: bytes.length / length }, (_, index) => {
    const luma = bytes.subarray(index * length, index * length + width * height);
    return luma.reduce((sum, value) => sum + value, 0) / luma.length;
  });
}

describe('a clip', () => {
  test('has exactly the frames that were given', async () => {
    const kit = await openKit();
    const { path, format, contentType } = await kit.encode(greys(150), { ...size, fps: 30, frames: 150 });
    expect([format, contentType]).toEqual(['mp4', 'video/mp4']);
    const facts = { codec: 'h264', pixelFormat: 'yuv420p', fps: 30, frames: 150, seconds: 5, hasAudio: false };
    expect(await probeClip(path)).toEqual({ ...size, ...facts });
  });

  test.each([size, large])('shows every frame of %o although their memory is used again', async (sides) => {
    const kit = await openKit();
    const { path } = await kit.encode(greys(60, sides), { ...sides, fps: 30, frames: 60 });
    for (const [index, mean] of (await brightness(path, sides)).entries()) {
      expect(Math.abs(mean - brightnessOf(index))).toBeLessThan(6);
    }
  });

  test('begins with its index, so that it plays while it loads, and is the same when made twice', async () => {
    const kit = await openKit();
    const files = [1, 2].map(() => kit.encode(greys(24), { ...size, fps: 24, frames: 24 }));
    const [one, two] = await Promise.all(files.map(async (file) => readFile((await file).path)));
    expect(one?.indexOf('moov')).toBeLessThan(one?.indexOf('mdat') ?? 0);
    expect(one?.equals(two as Buffer)).toBe(true);
  });

  test.each([
    [10, 12, 'Expected 12 frames, got 10'],
    [12, 10, 'Expected 10 frames, got 12'],
  ])('of %d frames where %d were planned is refused', async (given, planned, message) => {
    const kit = await openKit();
    await expect(kit.encode(greys(given), { ...size, fps: 24, frames: planned })).rejects.toThrow(message);
  });

  test('of frames of another size is refused', async () => {
    const kit = await openKit();
    const plan = { width: 32, height: 48, fps: 24, frames: 4 };
    await expect(kit.encode(greys(4), plan)).rejects.toThrow('Expected a frame of 32 × 48, got 64 × 48');
  });

  test('whose frames fail ends with their error, and its ffmpeg ends with it', async () => {
    const folder = await tempFolder();
    const kit = createClipKit({ folder, findFfmpeg: () => findFfmpeg(null) });
    const stopping = async function* () {
      yield* greys(40);
      throw new EngineError('cancelled', 'The job was cancelled');
    };
    const encoding = kit.encode(stopping(), { ...size, fps: 24, frames: 100 });
    await expect(encoding).rejects.toMatchObject({ code: 'cancelled' });
    await until(() => running(folder).length === 0, 'the end of ffmpeg');
  });

  test('leaves no ffmpeg behind when its process is killed', async () => {
    const folder = await tempFolder();
    const script = fileURLToPath(new URL('../../fixtures/clips/encode-until-killed.mjs', import.meta.url));
    const child = spawn(process.execPath, [script, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    expect(running(folder)).toHaveLength(1);
    child.kill('SIGKILL');
    await until(() => running(folder).length === 0, 'the end of ffmpeg');
  });

  test('can’t be made where there is no ffmpeg', async () => {
    const missing = (): Promise<Ffmpeg> => findFfmpeg('/nowhere');
    const kit = createClipKit({ folder: await tempFolder(), findFfmpeg: missing });
    await expect(kit.encode(greys(1), { ...size, fps: 24, frames: 1 })).rejects.toMatchObject({ code: 'unsupported' });
  });
});

/** Command lines of processes that work in this folder. */
function running(folder: string): string[] {
  const lines = execFileSync('ps', ['-eo', 'stat,args'], { encoding: 'utf8' }).split('\n');
  return lines.filter((line) => line.includes(folder) && !line.startsWith('Z') && line.includes('-i pipe:0'));
}
