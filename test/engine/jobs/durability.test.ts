import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { openDatabase } from '#src/engine/jobs/db.js';
import { GroupCommit } from '#src/engine/jobs/group-commit.js';
import { openJobs } from '#src/engine/jobs/index.js';
import { SqliteJobs } from '#src/engine/jobs/sqlite-jobs.js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { newJob } from './new-job.js';

const writeUntilKilled = resolve(import.meta.dirname, '../../fixtures/jobs/write-until-killed.mjs');

let folder: string;
let path: string;
let child: ChildProcess | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'darkroom-durability-'));
  path = join(folder, 'jobs.db');
});

afterEach(async () => {
  child?.kill('SIGKILL');
  await rm(folder, { recursive: true });
});

/** What a process had acknowledged when it was killed in the midst of its writes. */
async function writeAndKill(prefix: string, afterLines: number): Promise<string[]> {
  child = spawn(process.execPath, [writeUntilKilled, path, prefix], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines: string[] = [];
  const reader = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  reader.on('line', (line) => {
    lines.push(line);
    if (lines.length === afterLines) child?.kill('SIGKILL');
  });
  const closed = once(reader, 'close');
  const [, signal] = await once(child, 'exit');
  await closed;
  expect(signal).toBe('SIGKILL');
  return lines.filter((line) => /^(inserted|completed) \S+-\d+$/.test(line));
}

describe('a process that is killed while it writes', () => {
  test('has lost nothing that it acknowledged', async () => {
    const acknowledged: string[] = [];
    for (const [round, lines] of [60, 137, 11, 250, 90].entries()) {
      acknowledged.push(...(await writeAndKill(`round${round}`, lines)));
    }
    expect(acknowledged.length).toBeGreaterThanOrEqual(500);

    const db = openDatabase(path);
    expect(db.findDamage()).toEqual([]);
    db.close();

    const { jobs } = await openJobs({ path });
    for (const line of acknowledged) {
      const [what, id] = line.split(' ') as [string, string];
      const job = await jobs.get(id);
      expect(job, line).not.toBeNull();
      if (what === 'completed') expect(job?.state, line).toBe('completed');
    }
    const { states } = await jobs.stats();
    const recovered = await jobs.recover();
    expect(recovered).toHaveLength(states.running);
    expect((await jobs.stats()).states).toMatchObject({ running: 0, queued: states.queued + states.running });
    await jobs.close();
  });
});

describe('a full disk', () => {
  test('is told as storage_full, loses nothing that was stored, and is no trouble once there is room', async () => {
    const db = openDatabase(path);
    const jobs = new SqliteJobs({ db, now: Date.now }, new GroupCommit(db));
    await jobs.insert(newJob('before'));
    const { pages } = db.get<{ pages: number }>('SELECT page_count AS pages FROM pragma_page_count') ?? { pages: 0 };
    db.exec(`PRAGMA max_page_count = ${pages}`);

    const large = newJob('large', { params: { filler: 'x'.repeat(20_000) } });
    await expect(jobs.insert(large)).rejects.toMatchObject({ code: 'storage_full' });
    expect(await jobs.isWritable()).toBe(false);
    expect((await jobs.get('before'))?.state).toBe('queued');
    expect(await jobs.get('large')).toBeNull();

    db.exec(`PRAGMA max_page_count = ${pages + 1000}`);
    expect(await jobs.isWritable()).toBe(true);
    await jobs.insert(large);
    expect((await jobs.claim('device', 5, 1000)).map(({ id }) => id)).toEqual(['before', 'large']);
    expect(db.findDamage()).toEqual([]);
    await jobs.close();
  });

  test('fails every write of its group or that write alone, but never half of one', async () => {
    const db = openDatabase(path);
    const jobs = new SqliteJobs({ db, now: Date.now }, new GroupCommit(db));
    const { pages } = db.get<{ pages: number }>('SELECT page_count AS pages FROM pragma_page_count') ?? { pages: 0 };
    db.exec(`PRAGMA max_page_count = ${pages + 8}`);
    const ids = Array.from({ length: 12 }, (_, index) => `job_${index}`);
    const idempotency = (id: string) => ({ key: id, fingerprint: 'f' });
    const settled = await Promise.allSettled(
      ids.map((id) =>
        jobs.insert(newJob(id, { params: { filler: 'x'.repeat(5000) } }), { idempotency: idempotency(id) }),
      ),
    );
    expect(settled.some(({ status }) => status === 'rejected')).toBe(true);
    for (const [index, { status }] of settled.entries()) {
      const id = ids[index] as string;
      expect(await jobs.get(id)).toEqual(status === 'fulfilled' ? expect.objectContaining({ id }) : null);
      expect(await jobs.findReplay('local', idempotency(id))).toEqual(await jobs.get(id));
    }
    const refusals = settled.flatMap((one) => (one.status === 'rejected' ? [one.reason.code] : []));
    expect(new Set(refusals)).toEqual(new Set(['storage_full']));
    await jobs.close();
  });
});
