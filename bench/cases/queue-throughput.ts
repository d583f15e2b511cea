import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { readConfig } from '#src/engine/config.js';
import { createEngine } from '#src/engine/engine.js';
import type { Case, Measurement } from '../bench.js';
import { noop, noopRunner } from '../noop.js';

const jobs = 3_000;

/** Through the engine: claimed by the scheduler, run by nothing, completed; submitted before the clock starts. */
async function throughEngine(): Promise<Measurement> {
  const folder = await mkdtemp(join(tmpdir(), 'darkroom-bench-'));
  const runner = noopRunner(64);
  const engine = await createEngine(readConfig({ DARKROOM_DATA: folder }), { operations: [noop], runner });
  const submitted = Array.from({ length: jobs }, () =>
    engine.submit({ operation: 'no-op', owner: 'bench', params: {}, inputs: [] }),
  );
  const last = (await Promise.all(submitted)).at(-1);
  const begun = performance.now();
  runner.open();
  for await (const _ of engine.watch(last?.job.id ?? ''));
  let completed = 0;
  while (completed < jobs) completed = (await engine.status()).queue.states.completed;
  const seconds = (performance.now() - begun) / 1000;
  await engine.close(0);
  await rm(folder, { recursive: true });
  return { value: jobs / seconds, check: `${completed} completed` };
}

/** The least that a durable queue can do: claim and complete as two prepared statements, each its own transaction. */
async function rawSql(): Promise<Measurement> {
  const folder = await mkdtemp(join(tmpdir(), 'darkroom-bench-'));
  const db = new Database(join(folder, 'raw.db'));
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = FULL');
  db.exec(
    'CREATE TABLE jobs (id INTEGER PRIMARY KEY, status INTEGER NOT NULL DEFAULT 0, payload TEXT); CREATE INDEX due ON jobs (id) WHERE status = 0;',
  );
  const insert = db.prepare('INSERT INTO jobs (payload) VALUES (?)');
  db.transaction(() => {
    for (let job = 0; job < jobs; job += 1) insert.run('x'.repeat(300));
  })();
  const claim = db.prepare(
    'UPDATE jobs SET status = 1 WHERE id = (SELECT id FROM jobs WHERE status = 0 ORDER BY id LIMIT 1) RETURNING id',
  );
  const complete = db.prepare('UPDATE jobs SET status = 2 WHERE id = ? AND status = 1');
  let completed = 0;
  const begun = performance.now();
  for (let row = claim.get() as { id: number } | undefined; row; row = claim.get() as { id: number } | undefined) {
    completed += complete.run(row.id).changes;
  }
  const seconds = (performance.now() - begun) / 1000;
  db.close();
  await rm(folder, { recursive: true });
  return { value: jobs / seconds, check: `${completed} completed` };
}

export default {
  name: 'queue-throughput',
  question:
    'No-op jobs per second through the engine, beside raw prepared SQL (claim and complete), both with synchronous=FULL',
  unit: 'jobs/s',
  variants: { engine: throughEngine, raw: rawSql },
  rounds: 6,
  mustAgree: true,
  target: { text: 'engine ÷ raw ≥ 0.30', holds: (ratio) => ratio >= 0.3 },
} satisfies Case;
