import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { x264 } from '#src/engine/media/clip.js';
import { findFfmpeg } from '#src/engine/media/ffmpeg.js';
import { type Case, figureOf, type Measurement } from '../bench.js';
import { openDirect } from '../direct.js';
import { frame, jitterOf, markedPicture } from '../marker-track.js';

const run = promisify(execFile);

const [seconds, fps] = [10, 30];
const frames = seconds * fps;
/** Of a `zoom` of 3. */
const nearer = 2 ** 0.3;

/** Frames per second of a whole clip, from the picture to the file, and how it shakes. */
async function measure(make: (picture: string, folder: string) => Promise<string>): Promise<Measurement> {
  const folder = await mkdtemp(join(tmpdir(), 'darkroom-bench-'));
  try {
    const picture = join(folder, 'picture.png');
    await markedPicture(picture);
    // The second clip is measured: a server has found its ffmpeg, and compiled its code, long before.
    await make(picture, folder);
    const [begun, busy] = [performance.now(), cpuSeconds()];
    const clip = await make(picture, folder);
    const value = frames / ((performance.now() - begun) / 1000);
    const cpu = cpuSeconds() - busy;
    const found = await jitterOf((await findFfmpeg(null)).path, clip);
    return { value, check: `${found.frames} frames`, more: { jitter: found.jitter, cpu } };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Processor time of this process and of those that it started and that have ended; not disturbed by what else runs. */
function cpuSeconds(): number {
  const fields = readFileSync('/proc/self/stat', 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks) / 100, 0);
}

async function darkroom(): Promise<Measurement> {
  const raw = { zoom: 3, easing: 'linear', duration: seconds, fps, resolution: '720p' };
  const direct = await openDirect('video-generation', raw, 2);
  try {
    return await measure(async (picture) => (await direct.perform(picture)).path);
  } finally {
    await direct.close();
  }
}

/** The usual way to zoom without much shaking: enlarge the picture four times, then let zoompan pick whole pixels of it. */
async function zoompan(): Promise<Measurement> {
  const { path } = await findFfmpeg(null);
  return measure(async (picture, folder) => {
    const clip = join(folder, 'zoompan.mp4');
    const size = `${frame.width}x${frame.height}`;
    const zoom = `pow(${nearer},on/${frames - 1})`;
    const filter = [
      `scale=${4 * frame.width}:${4 * frame.height}`,
      `zoompan=z='${zoom}':x='(iw-iw/zoom)/2':y='(ih-ih/zoom)/2':d=${frames}:s=${size}:fps=${fps}`,
    ].join(',');
    const options = [...x264, '-g', String(2 * fps)];
    await run(path, ['-v', 'error', '-i', picture, '-vf', filter, ...options, '-movflags', '+faststart', '-y', clip]);
    return clip;
  });
}

export default {
  name: 'slow-zoom',
  question: `Frames per second of a slow zoom of ${seconds} s in ${frame.width} × ${frame.height}, from picture to file: by the operation, and by ffmpeg’s zoompan on the picture enlarged four times, both x264 veryfast`,
  unit: 'frames/s',
  variants: { darkroom, zoompan },
  rounds: 4,
  mustAgree: true,
  obstacle: () => (readdirSync('/').includes('proc') ? null : 'needs /proc of Linux'),
  target: {
    text: '≥ 1.5 times as fast, with jitter of markers ≤ 0.05 px/frame²',
    holds: (ratio, measured) => ratio >= 1.5 && figureOf(measured, 'darkroom', 'jitter') <= 0.05,
  },
} satisfies Case;
