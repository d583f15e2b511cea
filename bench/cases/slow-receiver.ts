import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig } from '#src/engine/config.js';
import { createEngine } from '#src/engine/engine.js';
import { webhookPresenter } from '#src/server/present-webhook.js';
import type { Case, Measurement } from '../bench.js';
import { noop, noopRunner } from '../noop.js';

/** Of each kind: told to the quick receiver, and told to the silent one or to nobody. */
const jobs = 1_000;

interface Receiver {
  server: Server;
  url: string;
  host: string;
  letters: Set<string>;
}

/** Takes what comes and answers at once, or never. */
async function receiver(answers: boolean, onLetter: () => void = () => {}): Promise<Receiver> {
  const letters = new Set<string>();
  const server = createServer((request, response) => {
    letters.add(String(request.headers['webhook-id']));
    request.resume();
    if (answers) response.end();
    onLetter();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { server, url: `http://${host}/hook`, host, letters };
}

async function deliver(besideSilence: boolean): Promise<Measurement> {
  const folder = await mkdtemp(join(tmpdir(), 'darkroom-bench-'));
  const got = { all: () => {} };
  const allGot = new Promise<void>((resolve) => (got.all = resolve));
  const quick = await receiver(true, () => quick.letters.size === jobs && got.all());
  const silent = await receiver(false);
  const config = readConfig({ DARKROOM_DATA: folder, DARKROOM_ALLOW_HOSTS: `${quick.host},${silent.host}` });
  const runner = noopRunner(8);
  const engine = await createEngine(config, { operations: [noop], runner, webhooks: webhookPresenter });
  runner.open();
  const submit = (url?: string) => {
    const webhook = url === undefined ? undefined : { url, baseUrl: 'http://here', secret: 'a secret of the bench' };
    return engine.submit({ operation: 'no-op', owner: 'bench', params: {}, inputs: [], webhook });
  };
  const begun = performance.now();
  for (let job = 0; job < jobs; job += 20) {
    const other = besideSilence ? silent.url : undefined;
    await Promise.all(Array.from({ length: 20 }, () => [submit(other), submit(quick.url)]).flat());
  }
  await allGot;
  const seconds = (performance.now() - begun) / 1000;
  await engine.close(0);
  for (const { server } of [quick, silent]) {
    server.closeAllConnections();
    server.close();
  }
  await rm(folder, { recursive: true });
  return { value: jobs / seconds, check: `${quick.letters.size} letters`, more: { silent: silent.letters.size } };
}

export default {
  name: 'slow-receiver',
  question:
    'Webhooks a second that one receiver gets, with their jobs: while as many are owed to another that never answers, and while they are owed to nobody',
  unit: 'webhooks/s',
  variants: { beside: () => deliver(true), alone: () => deliver(false) },
  rounds: 6,
  mustAgree: true,
  target: { text: 'beside ÷ alone ≥ 0.80', holds: (ratio) => ratio >= 0.8 },
} satisfies Case;
