import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import type { Case, Measurement } from '../bench.js';
import type { LoadWork } from '../health-load.js';
import { photo, sharedFiles } from '../material.js';
import { type ServerProcess, serverProcess } from '../server-process.js';
import { quantile } from '../statistics.js';

const requests = 2_000;
const everyMs = 8;
const uploadEveryMs = 100;

/** Asks a real server for its health at a steady pace; `underLoad` while every worker is busy and uploads come in. */
async function askHealth(underLoad: boolean): Promise<Measurement> {
  const folder = await mkdtemp(join(tmpdir(), 'darkroom-bench-'));
  const server = await serverProcess(folder);
  await server.start();
  const load = underLoad ? await startLoad(server) : null;
  const waits = await timedRequests(`${server.url}/health`);
  const queue = await metricOf(server, 'job_queue_depth');
  const completed = await metricOf(server, 'jobs_total');
  if (underLoad && queue === 0) throw new Error('The queue ran empty: the workers were not busy all the time');
  await load?.terminate();
  await server.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
  const more = { p50: quantile(waits, 0.5), max: Math.max(...waits), queue, completed };
  return { value: quantile(waits, 0.99), check: `${waits.length} answers of 200`, more };
}

/** Resolves when jobs wait, so that every worker has one from then on. */
async function startLoad(server: ServerProcess): Promise<Worker> {
  const found = sharedFiles('images/clothing', '.jpg');
  const pictures = found.length > 0 ? found : [photo];
  const workerData: LoadWork = { url: server.url, pictures, everyMs: uploadEveryMs };
  const load = new Worker(new URL('../health-load.js', import.meta.url), { workerData });
  const failed = new Promise<never>((_, reject) => {
    load.on('error', reject);
    load.on(
      'message',
      (status: number) => status === 202 || reject(new Error(`An upload was answered with ${status}`)),
    );
  });
  while ((await Promise.race([failed, metricOf(server, 'job_queue_depth')])) < 8) await pause(100);
  failed.catch(() => {});
  return load;
}

async function timedRequests(url: string): Promise<number[]> {
  // One connection that stays open, as a load balancer has it.
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const waits: number[] = [];
  for (let request = 0; request < requests; request += 1) {
    const begun = performance.now();
    await answered(url, agent);
    waits.push(performance.now() - begun);
    await pause(everyMs);
  }
  agent.destroy();
  return waits;
}

function answered(url: string, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    get(url, { agent }, (answer) => {
      if (answer.statusCode !== 200) reject(new Error(`Expected 200, got ${answer.statusCode}`));
      answer.on('end', resolve).on('error', reject).resume();
    }).on('error', reject);
  });
}

/** The sum of a metric over its labels. */
async function metricOf({ url }: ServerProcess, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const lines = text.split('\n').filter((line) => !line.startsWith('#') && /^[a-z_]+/.exec(line)?.[0].endsWith(name));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

export default {
  name: 'health-under-load',
  question: `p99 of GET /health in milliseconds, of ${requests.toLocaleString('en-US')} requests: while every worker is busy and ten uploads a second come in, and idle`,
  unit: 'ms',
  variants: { load: () => askHealth(true), idle: () => askHealth(false) },
  rounds: 6,
  mustAgree: true,
  target: { text: 'load ÷ idle ≤ 3', holds: (ratio) => ratio <= 3 },
} satisfies Case;
