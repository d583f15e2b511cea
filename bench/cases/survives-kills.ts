import { randomInt, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import sharp from 'sharp';
import { Webhook } from 'standardwebhooks';
import type { Case, Measurement } from '../bench.js';
import { type ServerProcess, serverProcess } from '../server-process.js';

const jobs = 1_000;
const kills = 20;
const posters = 8;
const secret = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
/** Between two jobs of a poster, so that jobs come in for as long as there are kills. */
const paceMs = 220;

interface Accepted {
  key: string;
  id: string;
}

/** 1,000 small jobs over HTTP while something is killed at 20 random moments; the value is how many completed. */
async function survive(kill: (server: ServerProcess) => Promise<void>): Promise<Measurement> {
  const folder = await mkdtemp(join(tmpdir(), 'darkroom-bench-'));
  const ear = await listen();
  const server = await serverProcess(folder, { DARKROOM_ALLOW_HOSTS: ear.host, DARKROOM_WEBHOOK_SECRET: secret });
  await server.start();
  const begun = performance.now();
  const [accepted] = await Promise.all([postAll(server.url, ear.url), killAtRandom(server, kill)]);
  const states = await Promise.all(accepted.map(({ id }) => endOf(server.url, id)));
  const seconds = (performance.now() - begun) / 1000;
  const outputs = await countOutputs(server.url, states);
  const told = await ear.heardOf(accepted.map(({ id }) => id));
  await server.kill('SIGTERM');
  ear.close();
  const audit = auditDatabase(join(folder, 'darkroom.db'), accepted);
  await rm(folder, { recursive: true });
  const completed = states.filter(({ status }) => status === 'COMPLETED').length;
  const check = `${accepted.length} accepted, ${completed} completed, ${outputs} pictures served, ${told} told by webhook, ${audit}`;
  return { value: completed, check, more: { kills, seconds, told, check } };
}

/** A receiver of webhooks that takes none whose signature is wrong, and knows of which jobs it has heard. */
async function listen() {
  const heard = new Set<string>();
  const verifier = new Webhook(secret);
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const headers = request.headers as Record<string, string>;
    const { id } = verifier.verify(Buffer.concat(chunks).toString(), headers) as { id: string };
    heard.add(id);
    response.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    host,
    url: `http://${host}/hook`,
    /** How many of these it has heard of, once it has of all or a minute is over. */
    async heardOf(ids: string[]): Promise<number> {
      const count = () => ids.filter((id) => heard.has(id)).length;
      for (let waited = 0; count() < ids.length && waited < 60_000; waited += 100) await pause(100);
      return count();
    },
    close: () => void server.close(),
  };
}

async function killAtRandom(server: ServerProcess, kill: (server: ServerProcess) => Promise<void>): Promise<void> {
  for (let count = 0; count < kills; count += 1) {
    await pause(randomInt(300, 2_500));
    await kill(server);
  }
}

async function killServer(server: ServerProcess): Promise<void> {
  await server.kill('SIGKILL');
  await server.start();
}

/** Resolves when its successor can take jobs: one that dies at birth again and again is started at longer intervals. */
async function killHost(server: ServerProcess): Promise<void> {
  const host = await server.hostPid();
  if (host === null) throw new Error('There is no host process to kill');
  process.kill(host, 'SIGKILL');
  while (!(await isReady(server)) || (await server.hostPid()) === host) await pause(20);
}

async function isReady({ url }: ServerProcess): Promise<boolean> {
  // A kept connection may just have been closed.
  const answer = await fetch(`${url}/ready`).catch(() => null);
  return answer?.ok ?? false;
}

/** Posts every job until it is accepted; the idempotency key makes a lost answer harmless. Spread over the kills. */
async function postAll(url: string, webhookUrl: string): Promise<Accepted[]> {
  const picture = await sharp({ create: { width: 48, height: 40, channels: 3, background: '#b04030' } })
    .jpeg()
    .toBuffer();
  const keys = Array.from({ length: jobs }, () => randomUUID());
  const accepted: Accepted[] = [];
  const post = async () => {
    for (let key = keys.pop(); key; key = keys.pop()) {
      accepted.push({ key, id: await postUntilAccepted(url, key, { picture, webhookUrl }) });
      await pause(paceMs);
    }
  };
  await Promise.all(Array.from({ length: posters }, post));
  return accepted;
}

interface Posting {
  picture: Buffer;
  webhookUrl: string;
}

async function postUntilAccepted(url: string, key: string, { picture, webhookUrl }: Posting): Promise<string> {
  const operation = key < '8' ? 'super-resolution' : 'background-removal';
  for (;;) {
    try {
      const body = new FormData();
      body.append('image', new Blob([new Uint8Array(picture)]), 'small.jpg');
      body.append('webhook_url', webhookUrl);
      const answer = await fetch(`${url}/api/generate/${operation}`, {
        method: 'POST',
        body,
        headers: { 'Idempotency-Key': key },
      });
      if (answer.status === 202) return ((await answer.json()) as { id: string }).id;
      if (answer.status < 500 && answer.status !== 429) throw new Error(`${answer.status}: ${await answer.text()}`);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
    }
    await pause(50);
  }
}

async function endOf(url: string, id: string): Promise<{ status: string; output_url: string | null }> {
  for (;;) {
    const answer = await fetch(`${url}/api/generate/status/${id}`).catch(() => null);
    if (answer?.status === 404) return { status: 'LOST', output_url: null };
    const job = answer?.ok ? ((await answer.json()) as { status: string; output_url: string | null }) : null;
    if (job && ['COMPLETED', 'FAILED', 'CANCELED'].includes(job.status)) return job;
    await pause(100);
  }
}

async function countOutputs(url: string, states: { output_url: string | null }[]): Promise<number> {
  let count = 0;
  for (const { output_url } of states) {
    if (!output_url) continue;
    const bytes = Buffer.from(await (await fetch(new URL(new URL(output_url).pathname, url))).arrayBuffer());
    const { format } = await sharp(bytes).metadata();
    if (format === 'png') count += 1;
  }
  return count;
}

/** Looks at the rows themselves: as many jobs as were accepted, each once, and a sound file. */
function auditDatabase(path: string, accepted: Accepted[]): string {
  const db = new Database(path, { readonly: true });
  const { count } = db.prepare('SELECT count(*) AS count FROM jobs').get() as { count: number };
  const integrity = db.pragma('integrity_check', { simple: true });
  db.close();
  const distinct = new Set(accepted.map(({ id }) => id)).size;
  return `${count} rows for ${distinct} ids, integrity ${integrity}`;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

export default {
  name: 'survives-kills',
  question:
    '1,000 small jobs while the server, or its host process, is killed with -9 at 20 random moments: how many completed, and of each of them a webhook came',
  unit: 'jobs',
  variants: { server: () => survive(killServer), host: () => survive(killHost) },
  rounds: 1,
  mustAgree: true,
  target: {
    text: 'every accepted job completed and was told of',
    holds: (_, measured) =>
      [...measured.values()].flat().every(({ value, more }) => value === jobs && more?.told === jobs),
  },
} satisfies Case;
