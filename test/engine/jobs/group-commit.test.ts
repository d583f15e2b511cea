import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Db, openDatabase } from '#src/engine/jobs/db.js';
import { GroupCommit } from '#src/engine/jobs/group-commit.js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

let folder: string;
let path: string;
let db: Db;
let commit: GroupCommit;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'darkroom-commit-'));
  path = join(folder, 'jobs.db');
  openDatabase(path).close();
  db = openDatabase(path);
  db.exec('CREATE TABLE notes (id INTEGER PRIMARY KEY, about INTEGER REFERENCES notes DEFERRABLE INITIALLY DEFERRED)');
  commit = new GroupCommit(db);
});

afterEach(async () => {
  db.close();
  await rm(folder, { recursive: true });
});

function add(id: number, about: number | null = null): Promise<number> {
  return commit.write(() => {
    db.run('INSERT INTO notes (id, about) VALUES (@id, @about)', { id, about });
    return id;
  });
}

function stored(): number[] {
  return db.all<{ id: number }>('SELECT id FROM notes ORDER BY id').map(({ id }) => id);
}

/** Transactions in the log: the last frame of each holds the size of the database (sqlite.org/fileformat2.html#walformat). */
async function countCommits(): Promise<number> {
  const log = await readFile(`${path}-wal`);
  let commits = 0;
  for (let frame = 32; frame < log.length; frame += 24 + 4096) {
    if (log.readUInt32BE(frame + 4) !== 0) commits += 1;
  }
  return commits;
}

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

describe('write', () => {
  test('shares one commit with all writes of the same turn', async () => {
    const before = await countCommits();
    expect(await Promise.all(numbers(50).map((id) => add(id)))).toEqual(numbers(50));
    expect(await countCommits()).toBe(before + 1);
    await add(51);
    await add(52);
    expect(await countCommits()).toBe(before + 3);
  });

  test('takes a flood in several commits, in order', async () => {
    const before = await countCommits();
    const settled: number[] = [];
    await Promise.all(numbers(1000).map(async (id) => settled.push(await add(id))));
    expect(settled).toEqual(numbers(1000));
    expect(await countCommits()).toBe(before + 4);
  });

  test('is not settled before its commit', async () => {
    const before = await countCommits();
    let settled = false;
    const writing = add(1).then(() => {
      settled = true;
    });
    await Promise.resolve();
    expect(settled).toBe(false);
    expect(stored()).toEqual([]);
    await writing;
    expect(await countCommits()).toBe(before + 1);
  });

  test('that throws is undone alone', async () => {
    const settled = await Promise.allSettled([
      add(1),
      commit.write(() => {
        db.run('INSERT INTO notes (id) VALUES (2)');
        throw new Error('no');
      }),
      add(1),
      add(3),
    ]);
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled']);
    expect(stored()).toEqual([1, 3]);
  });

  test('fails with all of its group when the commit fails, and the next one succeeds', async () => {
    const settled = await Promise.allSettled([add(1), add(2, 404), add(3)]);
    expect(settled.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(stored()).toEqual([]);
    await add(4);
    expect(stored()).toEqual([4]);
  });
});

describe('a group', () => {
  test('whose transaction is undone half-way, as SQLite does on a full disk, is refused whole', async () => {
    const lost = commit.write(() => {
      db.exec('ROLLBACK');
      throw new Error('the transaction is gone');
    });
    const settled = await Promise.allSettled([add(1), lost, add(3)]);
    expect(settled.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(stored()).toEqual([]);
    await add(4);
    expect(stored()).toEqual([4]);
  });
});

describe('flush', () => {
  test('commits what waits at once', async () => {
    const writing = numbers(600).map((id) => add(id));
    commit.flush();
    expect(stored()).toEqual(numbers(600));
    expect(await Promise.all(writing)).toEqual(numbers(600));
  });
});
