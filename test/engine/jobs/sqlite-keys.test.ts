import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openJobs } from '#src/engine/jobs/index.js';
import type { JobStore } from '#src/engine/jobs/job-store.js';
import type { KeyStore } from '#src/engine/jobs/key-store.js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const now = () => 1_800_000_000_000;

let folder: string;
let path: string;
let keys: KeyStore;
let jobs: JobStore;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'darkroom-keys-'));
  path = join(folder, 'jobs.db');
  ({ keys, jobs } = await openJobs({ path, now }));
});

afterEach(async () => {
  await jobs.close();
  await rm(folder, { recursive: true });
});

describe('create', () => {
  test('gives a secret of 256 bits that is another one each time', async () => {
    const made = await Promise.all([keys.create('shop'), keys.create('shop')]);
    for (const { secret, id, label, createdAt } of made) {
      expect(secret).toMatch(/^dk_[\w-]{43}$/);
      expect(secret.startsWith(id)).toBe(true);
      expect(id).toHaveLength(11);
      expect({ label, createdAt }).toEqual({ label: 'shop', createdAt: now() });
    }
    expect(made[0]?.secret).not.toBe(made[1]?.secret);
    expect(await keys.count()).toBe(2);
  });

  test('stores nothing that the secret could be read from', async () => {
    const { secret, id } = await keys.create('shop');
    await jobs.close();
    const file = await readFile(path, 'latin1');
    expect(file).toContain(id);
    expect(file).not.toContain(secret.slice(id.length));
  });
});

describe('verify', () => {
  test('knows the key by its secret, also after the database was opened again', async () => {
    const { secret, ...key } = await keys.create('shop');
    await keys.create('other');
    expect(await keys.verify(secret)).toEqual(key);
    await jobs.close();
    ({ keys, jobs } = await openJobs({ path, now }));
    expect(await keys.verify(secret)).toEqual(key);
  });

  test('refuses everything else', async () => {
    const { secret, id } = await keys.create('shop');
    const last = secret.endsWith('A') ? 'B' : 'A';
    const wrong = [secret.slice(0, -1) + last, `${secret} `, secret.slice(0, -1), id, secret.slice(3), '', 'dk_', '%'];
    for (const attempt of wrong) expect(await keys.verify(attempt), attempt).toBeNull();
  });
});

describe('count', () => {
  test('of a new database is none', async () => {
    expect(await keys.count()).toBe(0);
  });
});
