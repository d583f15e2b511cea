import { execFile, spawn } from 'node:child_process';
import { createHash, randomBytes, randomInt } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BlobStore } from '#src/engine/blobs/blob-store.js';
import { type DiskBlobsOptions, openDiskBlobs } from '#src/engine/blobs/disk-blobs.js';
import { blobStoreContract } from './blob-store-contract.js';

const hourMs = 3_600_000;
const folders: string[] = [];

async function temporaryFolder(parent = tmpdir()): Promise<string> {
  const folder = await mkdtemp(join(parent, 'disk-blobs-'));
  folders.push(folder);
  return folder;
}

afterEach(async () => {
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true, force: true })));
});

blobStoreContract('disk-blobs', async (settings) => openDiskBlobs({ folder: await temporaryFolder(), ...settings }));

describe('disk-blobs', () => {
  let folder: string;
  let store: BlobStore;
  let now: number;

  const open = (options: Partial<DiskBlobsOptions> = {}) =>
    openDiskBlobs({ folder, retentionMs: 24 * hourMs, minFreeBytes: 0, now: () => now, ...options });
  const put = (content: string | Buffer) => store.put(Readable.from([Buffer.from(content)]), { extension: 'png' });
  const temporary = () => readdir(join(folder, 'tmp'));

  beforeEach(async () => {
    now = Date.now();
    folder = await temporaryFolder();
    store = await open();
  });

  it('finds its blobs again when the folder is opened anew', async () => {
    const facts = await put('picture');
    expect(await (await open()).stat(facts.id)).toEqual({ ...facts, sha256: undefined });
  });

  it.each([
    [24, 'a day'],
    [36, '1.5 days'],
  ])('says of a file of a retention of %i hours that it was removed after %s', async (hours, words) => {
    store = await open({ retentionMs: hours * hourMs });
    const { id } = await put('picture');
    now += hours * hourMs + 1;
    await expect(store.stat(id)).rejects.toThrow(`files are removed after ${words}`);
  });

  it('works in a folder that is reached through a symbolic link', async () => {
    const { id } = await put('picture');
    const alias = join(await temporaryFolder(), 'alias');
    await symlink(folder, alias);
    const stream = await (await open({ folder: alias })).read(id);
    expect((await buffer(stream)).toString()).toBe('picture');
  });

  it('leaves nothing behind, whatever ends a write', async () => {
    const broken = new Readable({
      read() {
        this.push(Buffer.alloc(1000));
        this.destroy(new Error('connection reset'));
      },
    });
    await expect(store.put(broken, { extension: 'png' })).rejects.toThrow('did not arrive');
    await expect(store.put(Readable.from([Buffer.alloc(9)]), { extension: 'png', maxBytes: 8 })).rejects.toThrow(
      'at most 8 bytes',
    );
    await put('picture').then(({ id }) => store.copy(id));
    expect(await temporary()).toEqual([]);
  });

  it('shows nothing of a blob before it is whole', async () => {
    const source = new Readable({ read() {} });
    source.push(Buffer.alloc(1000));
    const stored = store.put(source, { extension: 'png' });
    await until(async () => (await temporary()).length === 1);
    expect(await readdir(folder)).toEqual(['tmp']);
    source.push(null);
    const { id } = await stored;
    expect(await blobsIn(folder)).toEqual([id]);
  });

  it.skipIf(process.platform === 'win32')('keeps files from other users of the machine', async () => {
    const { id } = await put('picture');
    const shard = join(folder, id.slice(0, 7));
    const { etag } = await store.stat(id);
    const modes = [join(folder, 'tmp'), shard, join(shard, id), join(shard, id, etag)].map(
      (path) => statSync(path).mode & 0o077,
    );
    expect(modes).toEqual([0, 0, 0, 0]);
  });

  describe('symbolic links', () => {
    let secret: string;

    beforeEach(async () => {
      secret = join(await temporaryFolder(), 'secret');
      await writeFile(secret, 'secret');
    });

    it('are not followed in place of a file', async () => {
      const { id, etag } = await put('picture');
      const path = join(folder, id.slice(0, 7), id, etag);
      await rm(path);
      await symlink(secret, path);
      for (const access of ['stat', 'read', 'copy', 'materialize'] as const) {
        await expect(store[access](id)).rejects.toMatchObject({ code: 'not_found' });
      }
    });

    it('are not followed in place of a folder', async () => {
      const { id } = await put('picture');
      const moved = join(await temporaryFolder(), 'moved');
      await rename(join(folder, id.slice(0, 7)), moved);
      await symlink(moved, join(folder, id.slice(0, 7)));
      await expect(store.read(id)).rejects.toMatchObject({ code: 'not_found' });
    });

    it('are not adopted', async () => {
      const link = join(folder, 'link');
      await symlink(secret, link);
      await expect(store.adopt(link, 'png')).rejects.toMatchObject({ code: 'internal' });
      expect(await readFile(secret, 'utf8')).toBe('secret');
    });

    it('are removed by prune, and what they point to stays', async () => {
      const { id } = await put('picture');
      const outside = await temporaryFolder();
      await writeFile(join(outside, 'kept'), 'kept');
      await symlink(outside, join(folder, id.slice(0, 7), id, 'link'));
      await symlink(outside, join(folder, 'tmp', id));
      await symlink(outside, join(folder, '0000000'));
      now += 25 * hourMs;
      expect(await store.prune()).toBe(1);
      expect(await temporary()).toEqual([]);
      expect(await readdir(outside)).toEqual(['kept']);
    });
  });

  describe('prune', () => {
    it('removes abandoned temporary files after an hour', async () => {
      const { id } = await put('picture');
      await mkdir(join(folder, 'tmp', id));
      await writeFile(join(folder, 'tmp', id, 'part'), 'half');
      expect(await store.prune()).toBe(0);
      expect(await temporary()).toEqual([id]);
      now += hourMs + 1;
      await store.prune();
      expect(await temporary()).toEqual([]);
    });

    it('leaves a write alone however long it takes', async () => {
      const source = new Readable({ read() {} });
      source.push(Buffer.from('slow '));
      const stored = store.put(source, { extension: 'png' });
      await until(async () => (await temporary()).length === 1);
      now += 2 * hourMs;
      await store.prune();
      source.push(Buffer.from('picture'));
      source.push(null);
      expect((await buffer(await store.read((await stored).id))).toString()).toBe('slow picture');
    });

    it('removes folders that no blob can come into any more', async () => {
      await put('picture');
      now += 25 * hourMs;
      await store.prune();
      expect(await readdir(folder)).toEqual(['tmp']);
    });
  });

  const memoryDisk = '/dev/shm';
  const hasTwoDevices = existsSync(memoryDisk) && statSync(memoryDisk).dev !== statSync(tmpdir()).dev;

  it.skipIf(!hasTwoDevices)(
    'adopts a file from another device (needs /dev/shm beside the temporary folder)',
    async () => {
      const content = randomBytes(300_000);
      const path = join(await temporaryFolder(memoryDisk), 'result');
      await writeFile(path, content);
      const { id } = await store.adopt(path, 'png');
      expect((await buffer(await store.read(id))).equals(content)).toBe(true);
      expect(existsSync(path)).toBe(false);
      expect((await stat(folder)).dev).not.toBe((await stat(memoryDisk)).dev);
    },
  );

  it('says storage_full when the disk is full and cleans up after itself', async ({ skip }) => {
    // A disk of 4 MB in a mount namespace of its own: needs no privileges where the kernel lets users have one.
    const script = `mount -t tmpfs -o size=4m none "$1" && "$2" test/engine/blobs/put-one.mjs "$1" 8`;
    const run = promisify(execFile)('unshare', ['-rm', 'sh', '-c', script, 'sh', folder, process.execPath]);
    const result = await run.catch((error: Error) => error);
    if (result instanceof Error) return skip(`no small disk can be mounted here: ${result.message.split('\n')[1]}`);
    expect(result.stdout).toBe('storage_full, 0 left behind');
  });

  it('holds only whole blobs, and every acknowledged one, after kill -9 at any moment', async () => {
    const acknowledged: string[] = [];
    for (let round = 0; round < 6; round += 1) acknowledged.push(...(await putUntilKilled(folder)));
    const stored = await blobsIn(folder);
    expect(acknowledged.length).toBeGreaterThan(20);
    expect(acknowledged.filter((id) => !stored.includes(id))).toEqual([]);
    for (const id of stored) {
      const { etag } = await store.stat(id);
      const content = await buffer(await store.read(id));
      expect(createHash('sha256').update(content).digest('hex')).toBe(etag);
    }
    now += 2 * hourMs;
    await store.prune();
    expect(await temporary()).toEqual([]);
  });
});

/** Kills the child at once after a random number of blobs; returns the ids that it had acknowledged. */
async function putUntilKilled(folder: string): Promise<string[]> {
  const child = spawn(process.execPath, ['test/engine/blobs/put-forever.mjs', folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const killAt = randomInt(4, 12);
  const ids: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    // A line that the kill cut in half is no acknowledgement.
    if (line.endsWith('.bin')) ids.push(line);
    if (ids.length === killAt) child.kill('SIGKILL');
  }
  return ids;
}

async function blobsIn(folder: string): Promise<string[]> {
  const shards = (await readdir(folder)).filter((name) => name !== 'tmp');
  const names = await Promise.all(shards.map((shard) => readdir(join(folder, shard))));
  return names.flat();
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error('Waited 10 s in vain');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
