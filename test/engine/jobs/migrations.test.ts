import { openDatabase } from '#src/engine/jobs/db.js';
import { migrate, migrations } from '#src/engine/jobs/migrations.js';
import { describe, expect, test } from 'vitest';

const now = () => 1_800_000_000_000;

describe('migrate', () => {
  test('records every migration with its time and runs none twice', () => {
    const db = openDatabase(':memory:', now);
    const recorded = () => db.all('SELECT name, applied_at AS at FROM migrations ORDER BY name');
    expect(recorded()).toEqual(migrations.map(({ name }) => ({ name, at: now() })));
    migrate(db, () => now() + 1);
    expect(recorded()).toEqual(migrations.map(({ name }) => ({ name, at: now() })));
    db.close();
  });

  test('has names that are in order', () => {
    const names = migrations.map(({ name }) => name);
    expect(names).toEqual([...names].sort());
    expect(new Set(names).size).toBe(names.length);
  });

  test('that fails half-way leaves neither its tables nor its name, and keeps those before it', () => {
    const db = openDatabase(':memory:', now);
    const good = { name: '9001-good', script: 'CREATE TABLE good (a INTEGER)' };
    const bad = { name: '9002-bad', script: 'CREATE TABLE half (a INTEGER); CREATE TABLE good (a INTEGER)' };
    expect(() => migrate(db, now, [...migrations, good, bad])).toThrow(/already exists/);
    const tables = db.all<{ name: string }>(`SELECT name FROM sqlite_schema WHERE type = 'table'`);
    expect(tables.map(({ name }) => name)).toEqual(expect.arrayContaining(['good']));
    expect(tables.map(({ name }) => name)).not.toEqual(expect.arrayContaining(['half']));
    expect(db.all(`SELECT name FROM migrations WHERE name > '9'`)).toEqual([{ name: '9001-good' }]);
    migrate(db, now, [...migrations, good, { ...bad, script: 'CREATE TABLE half (a INTEGER)' }]);
    expect(db.all(`SELECT name FROM migrations WHERE name > '9'`)).toHaveLength(2);
    db.close();
  });

  test('refuses a file that a newer version has written', () => {
    const db = openDatabase(':memory:', now);
    db.run(`INSERT INTO migrations (name, applied_at) VALUES ('9999-future', 0)`);
    expect(() => migrate(db, now)).toThrow(
      expect.objectContaining({ code: 'unsupported', message: expect.stringContaining('9999-future') }),
    );
    db.close();
  });
});
