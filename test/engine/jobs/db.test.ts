import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, open, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { openDatabase } from '#src/engine/jobs/db.js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const openElsewhere = resolve(import.meta.dirname, '../../fixtures/jobs/open-database.mjs');

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'darkroom-db-'));
  path = join(folder, 'data', 'jobs.db');
});

afterEach(() => rm(folder, { recursive: true }));

async function openInAnotherProcess(): Promise<{ opened: boolean; code?: string; message?: string }> {
  const { stdout } = await promisify(execFile)(process.execPath, [openElsewhere, path]);
  return JSON.parse(stdout);
}

describe('openDatabase', () => {
  test('makes a file that a commit is safe in', () => {
    const db = openDatabase(path);
    const setting = (name: string) => Object.values(db.get<Record<string, unknown>>(`PRAGMA ${name}`) ?? {})[0];
    expect(setting('journal_mode')).toBe('wal');
    expect(setting('synchronous')).toBe(2);
    expect(setting('locking_mode')).toBe('exclusive');
    expect(setting('foreign_keys')).toBe(1);
    db.close();
  });

  test('refuses a second process on the same folder until the first lets go', async () => {
    const db = openDatabase(path);
    const refused = await openInAnotherProcess();
    expect(refused).toMatchObject({ opened: false, code: 'busy' });
    expect(refused.message).toContain('Another Darkroom is using');
    expect(refused.message).toContain(join(folder, 'data'));
    db.run("INSERT INTO api_keys (id, label, digest, created_at) VALUES ('a', '', x'00', 0)");
    db.close();
    expect(await openInAnotherProcess()).toEqual({ opened: true });
  });

  test('refuses a second connection of the same process', () => {
    const db = openDatabase(path);
    expect(() => openDatabase(path)).toThrow(expect.objectContaining({ code: 'busy' }));
    db.close();
  });

  test('says what to do about a file that is no database', async () => {
    await mkdir(join(folder, 'data'));
    await writeFile(path, 'these are not the bytes of a database, however many of them there are'.repeat(100));
    expect(() => openDatabase(path)).toThrow(
      expect.objectContaining({ code: 'internal', message: expect.stringContaining('damaged') }),
    );
  });

  test('says what to do about a path that cannot be written', async () => {
    await mkdir(path, { recursive: true });
    expect(() => openDatabase(path)).toThrow(
      expect.objectContaining({ code: 'internal', message: expect.stringContaining('permissions') }),
    );
  });
});

describe('findDamage', () => {
  const overwrite = (page: Buffer) => page.fill(0xff);
  const misspell = (page: Buffer) => page.write('kex', page.indexOf('key'));

  test.each([
    ['a page that was overwritten', 'api_keys', overwrite],
    ['an index that differs from its table', 'sqlite_autoindex_api_keys_1', misspell],
  ])('finds %s', async (_, table, damage) => {
    const db = openDatabase(path);
    db.run("INSERT INTO api_keys (id, label, digest, created_at) VALUES ('key', '', x'00', 0)");
    expect(db.findDamage()).toEqual([]);
    const root = db.get<{ page: number }>('SELECT rootpage AS page FROM sqlite_schema WHERE name = @table', { table });
    db.close();
    await changePage(root?.page ?? 0, damage);
    const damaged = openDatabase(path);
    expect(damaged.findDamage()).not.toEqual([]);
    damaged.close();
  });

  async function changePage(number: number, change: (page: Buffer) => unknown): Promise<void> {
    const file = await open(path, 'r+');
    const start = 4096 * (number - 1);
    const { buffer } = await file.read(Buffer.alloc(4096), 0, 4096, start);
    change(buffer);
    await file.write(buffer, 0, 4096, start);
    await file.close();
  }
});

describe('close', () => {
  test('leaves one file that holds everything, and may be called twice', async () => {
    const db = openDatabase(path);
    db.run("INSERT INTO api_keys (id, label, digest, created_at) VALUES ('key', '', x'00', 0)");
    expect(await readdir(join(folder, 'data'))).toContain('jobs.db-wal');
    db.close();
    db.close();
    expect(await readdir(join(folder, 'data'))).toEqual(['jobs.db']);
    const again = openDatabase(path);
    expect(again.all('SELECT id FROM api_keys')).toEqual([{ id: 'key' }]);
    again.close();
  });
});

describe('transaction', () => {
  test('keeps all of its work or none', () => {
    const db = openDatabase(':memory:');
    const add = (id: string) =>
      db.run("INSERT INTO api_keys (id, label, digest, created_at) VALUES (@id, '', x'00', 0)", { id });
    db.transaction(() => {
      add('a');
      expect(() =>
        db.savepoint(() => {
          add('b');
          throw new Error('only b');
        }),
      ).toThrow('only b');
      add('c');
    });
    expect(() =>
      db.transaction(() => {
        add('d');
        throw new Error('all of it');
      }),
    ).toThrow('all of it');
    expect(db.all('SELECT id FROM api_keys')).toEqual([{ id: 'a' }, { id: 'c' }]);
    db.close();
  });
});
