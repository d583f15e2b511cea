import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { probeClip } from '#src/engine/media/ffmpeg.js';
import type { Case, Measurement } from '../bench.js';
import { openDirect } from '../direct.js';
import { markedPicture } from '../marker-track.js';

/** The largest resident memory of the process that renders a clip of this duration; the encoder has its own. */
async function render(duration: number): Promise<Measurement> {
  const folder = await mkdtemp(join(tmpdir(), 'darkroom-bench-'));
  const direct = await openDirect('video-generation', { zoom: 3, duration, fps: 30, resolution: '1080p' }, 2);
  try {
    const picture = join(folder, 'picture.png');
    await markedPicture(picture);
    const clip = await direct.perform(picture);
    const { frames } = await probeClip(clip.path);
    if (frames !== 30 * duration) throw new Error(`Expected ${30 * duration} frames, got ${frames}`);
    return { value: peakMegabytes(), check: 'all frames', more: { frames } };
  } finally {
    await direct.close();
    await rm(folder, { recursive: true });
  }
}

function peakMegabytes(): number {
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) / 1024;
}

export default {
  name: 'memory-of-duration',
  question: 'Peak resident megabytes of the process that renders a zoom in 1920 × 1080: for 15 seconds, and for 3',
  unit: 'MB',
  variants: { '15 s': () => render(15), '3 s': () => render(3) },
  rounds: 2,
  mustAgree: true,
  obstacle: () => (readdirSync('/').includes('proc') ? null : 'needs /proc of Linux'),
  target: { text: 'within 10 %', holds: (ratio) => Math.abs(ratio - 1) <= 0.1 },
} satisfies Case;
