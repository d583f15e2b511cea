import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { encodeStream, ffmpegFinder, findFfmpeg, probeClip } from '#src/engine/media/ffmpeg.js';
import { tempFolder } from '../../helpers/temp-folder.js';

describe('findFfmpeg', () => {
  test('finds one that encodes H.264, and says what it can do', async () => {
    const found = await findFfmpeg(null);
    expect(found.year).toBeGreaterThanOrEqual(2018);
    expect(found.filters).toContain('zoompan');
    expect(found.filters).not.toContain('=');
  });

  test('takes the one it is told to take', async () => {
    const { path } = await findFfmpeg(null);
    const folder = await tempFolder();
    const wrapper = join(folder, 'mine');
    await writeFile(wrapper, `#!/bin/sh\nexec '${path}' "$@"\n`, { mode: 0o755 });
    expect((await findFfmpeg(wrapper)).path).toBe(wrapper);
  });

  test.each(['/nowhere/ffmpeg', process.execPath])('refuses %s, which is none, and names the setting', async (path) => {
    await expect(findFfmpeg(path)).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringContaining(`DARKROOM_FFMPEG to be an ffmpeg with libx264, got ${path}`),
    });
  });
});

test('ffmpegFinder looks once, and again after a failure', async () => {
  const find = ffmpegFinder(null);
  expect(await find()).toBe(await find());
  const wanted = join(await tempFolder(), 'later');
  const findLater = ffmpegFinder(wanted);
  await expect(findLater()).rejects.toThrow('DARKROOM_FFMPEG');
  await writeFile(wanted, `#!/bin/sh\nexec '${(await find()).path}' "$@"\n`, { mode: 0o755 });
  expect((await findLater()).path).toBe(wanted);
});

describe('encodeStream', () => {
  const inputOptions = ['-f', 'rawvideo', '-pix_fmt', 'gray', '-s', '16x16', '-r', '24'];

  test('tells what ffmpeg said when it can’t do what is asked', async () => {
    const output = join(await tempFolder(), 'clip.mp4');
    const input = Readable.from([Buffer.alloc(256)], { objectMode: false });
    const encoding = { input, inputOptions, outputOptions: ['-c:v', 'no-such-codec'], output };
    await expect(encodeStream(await findFfmpeg(null), encoding)).rejects.toMatchObject({
      code: 'internal',
      cause: expect.objectContaining({ message: expect.stringContaining('no-such-codec') }),
    });
  });

  test('fails with the error of the stream', async () => {
    const output = join(await tempFolder(), 'clip.mp4');
    const input = Readable.from(
      (async function* () {
        yield Buffer.alloc(256);
        throw new RangeError('no more pictures');
      })(),
      { objectMode: false },
    );
    const encoding = { input, inputOptions, outputOptions: ['-c:v', 'libx264'], output };
    await expect(encodeStream(await findFfmpeg(null), encoding)).rejects.toThrow(new RangeError('no more pictures'));
  });
});

test('probeClip refuses a file that is no clip', async () => {
  const path = join(await tempFolder(), 'text.mp4');
  await writeFile(path, 'not a clip');
  await expect(probeClip(path)).rejects.toMatchObject({ code: 'invalid_input' });
});
