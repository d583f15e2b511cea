import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import sharp from 'sharp';
import type { Case, Measurement } from '../bench.js';
import { type ServerProcess, serverProcess } from '../server-process.js';

const width = 4_000;

/** The largest resident memory of the host process while it enlarges one picture of this height two-fold. */
async function enlarge(height: number): Promise<Measurement> {
  const folder = await mkdtemp(join(tmpdir(), 'darkroom-bench-'));
  const threads = String(availableParallelism());
  const settings = {
    DARKROOM_WORKERS: '1',
    DARKROOM_THREADS: threads,
    DARKROOM_JOB_SECONDS: '3600',
    DARKROOM_DEVICE: 'cpu',
  };
  const server = await serverProcess(folder, settings);
  await server.start();
  const begun = performance.now();
  const output = await upscale(server, await photograph(height));
  const seconds = (performance.now() - begun) / 1000;
  const hostPeak = peakMegabytes((await server.hostPid()) ?? Number.NaN);
  const serverPeak = peakMegabytes(server.pid());
  await server.kill('SIGTERM');
  const path = join(folder, 'output.png');
  await writeFile(path, output);
  const made = await sharp(path, { limitInputPixels: false }).metadata();
  await rm(folder, { recursive: true });
  if (made.width !== 2 * width || made.height !== 2 * height) throw new Error(`Got ${made.width} × ${made.height}`);
  return {
    value: hostPeak,
    check: 'twice as large',
    more: { tree: hostPeak + serverPeak, server: serverPeak, seconds },
  };
}

/** A JPEG with structure everywhere: noise over slopes. */
function photograph(height: number): Promise<Buffer> {
  const noise = { type: 'gaussian', mean: 128, sigma: 30 } as const;
  return sharp({ create: { width, height, channels: 3, background: '#808080', noise } })
    .blur(1.5)
    .jpeg({ quality: 90 })
    .toBuffer();
}

async function upscale({ url }: ServerProcess, picture: Buffer): Promise<Uint8Array> {
  const body = new FormData();
  body.append('image', new Blob([new Uint8Array(picture)]), 'large.jpg');
  const accepted = await fetch(`${url}/api/generate/super-resolution`, { method: 'POST', body });
  if (accepted.status !== 202) throw new Error(`Expected 202, got ${accepted.status}: ${await accepted.text()}`);
  const { id } = (await accepted.json()) as { id: string };
  for (;;) {
    const job = (await (await fetch(`${url}/api/generate/status/${id}`)).json()) as {
      status: string;
      output_url: string;
    };
    if (job.status === 'COMPLETED') return new Uint8Array(await (await fetch(job.output_url)).arrayBuffer());
    if (job.status === 'FAILED') throw new Error(JSON.stringify(job));
    await pause(500);
  }
}

/** The most memory that a process has had resident. */
function peakMegabytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
  return Number(kilobytes) / 1024;
}

export default {
  name: 'memory-of-height',
  question:
    'Peak resident megabytes of the host process while a picture is enlarged two-fold: 4000 × 6000 pixels, and half as high',
  unit: 'MB',
  variants: { '24 MP': () => enlarge(6_000), '12 MP': () => enlarge(3_000) },
  rounds: 2,
  mustAgree: true,
  obstacle: () => (readdirSync('/').includes('proc') ? null : 'needs /proc of Linux'),
  target: { text: 'within 10 %', holds: (ratio) => Math.abs(ratio - 1) <= 0.1 },
} satisfies Case;
