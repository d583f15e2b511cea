import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { BlobStore } from '#src/engine/blobs/blob-store.js';
import { EngineError } from '#src/engine/errors.js';

export interface StoreSettings {
  retentionMs: number;
  minFreeBytes: number;
  now(): number;
  freeBytes(): Promise<number>;
}

const dayMs = 86_400_000;
const unknownId = `${(1_800_000_000_000).toString(16).padStart(12, '0')}${'a'.repeat(32)}.png`;

/** What every BlobStore does; `open` makes an empty one. */
export function blobStoreContract(name: string, open: (settings: StoreSettings) => Promise<BlobStore>): void {
  describe(`${name} as a BlobStore`, () => {
    let store: BlobStore;
    let scratch: string;
    let now: number;
    let free: number;

    beforeAll(async () => {
      scratch = await mkdtemp(join(tmpdir(), 'blob-contract-'));
    });
    afterAll(() => rm(scratch, { recursive: true }));
    beforeEach(async () => {
      now = 1_800_000_000_000;
      free = 1e12;
      store = await open({ retentionMs: 7 * dayMs, minFreeBytes: 1e6, now: () => now, freeBytes: async () => free });
    });

    const bytesOf = async (id: string, range?: { start: number; end: number }) => buffer(await store.read(id, range));
    const scratchFile = async (content: Buffer) => {
      const path = join(scratch, randomBytes(8).toString('hex'));
      await writeFile(path, content);
      return path;
    };

    describe('put', () => {
      it.each([0, 1, 65_536, 1_000_003])('gives back the %i bytes that were stored', async (length) => {
        const content = randomBytes(length);
        const { id } = await store.put(Readable.from([content]), { extension: 'png' });
        expect((await bytesOf(id)).equals(content)).toBe(true);
      });

      it('tells size, type, time and digest, and stat tells the same', async () => {
        const { sha256, ...facts } = await store.put(Readable.from([Buffer.from('abc')]), { extension: 'png' });
        expect(facts).toEqual({
          id: expect.stringMatching(/\.png$/),
          bytes: 3,
          contentType: 'image/png',
          createdAt: now,
          etag: facts.etag,
        });
        expect(sha256).toBe(digest(Buffer.from('abc')));
        expect(await store.stat(facts.id)).toEqual(facts);
      });

      it.each([
        ['png', 'image/png'],
        ['jpg', 'image/jpeg'],
        ['webp', 'image/webp'],
        ['avif', 'image/avif'],
        ['tiff', 'image/tiff'],
        ['gif', 'image/gif'],
        ['mp4', 'video/mp4'],
        ['mp3', 'audio/mpeg'],
        ['wav', 'audio/wav'],
        ['zip', 'application/zip'],
        ['json', 'application/json'],
        ['bin', 'application/octet-stream'],
      ])('serves .%s as %s', async (extension, contentType) => {
        const { id } = await store.put(Readable.from([Buffer.from('x')]), { extension });
        expect((await store.stat(id)).contentType).toBe(contentType);
      });

      it('makes ids that sort by time and differ within a millisecond', async () => {
        const ids: string[] = [];
        for (const step of [0, 0, 1, 1000, dayMs]) {
          now += step;
          ids.push((await store.put(Readable.from([Buffer.from('x')]), { extension: 'bin' })).id);
        }
        expect(new Set(ids).size).toBe(5);
        expect(ids.slice(1)).toEqual(ids.slice(1).sort());
      });

      it('takes exactly as many bytes as allowed', async () => {
        const { bytes } = await store.put(Readable.from([Buffer.alloc(10)]), { extension: 'bin', maxBytes: 10 });
        expect(bytes).toBe(10);
      });

      it('cuts a stream that has more bytes than allowed and does not read on', async () => {
        let made = 0;
        const endless = Readable.from(
          (function* () {
            for (;;) {
              made += 1000;
              yield Buffer.alloc(1000);
            }
          })(),
        );
        const error = await failure(store.put(endless, { extension: 'png', maxBytes: 2_000_000, param: 'image' }));
        expect(error).toMatchObject({ code: 'too_large', details: { param: 'image' } });
        expect(error.message).toBe('Expected image to be at most 2 MB, got more');
        expect(endless.destroyed).toBe(true);
        expect(made).toBeLessThan(2_100_000);
      });

      it('says that the file did not arrive when its stream fails', async () => {
        const source = new Readable({ read() {} });
        source.push(Buffer.alloc(1000));
        const put = store.put(source, { extension: 'png', param: 'image' });
        source.destroy(new Error('connection reset'));
        expect(await failure(put)).toMatchObject({
          code: 'invalid_input',
          message: 'image did not arrive to its end',
          details: { param: 'image' },
        });
      });

      it('says so too when the stream had ended early before it was read', async () => {
        const source = new Readable({ read() {} });
        source.destroy();
        expect(await failure(store.put(source, { extension: 'png' }))).toMatchObject({ code: 'invalid_input' });
      });

      it('passes on an error that has a code', async () => {
        const source = new Readable({
          read() {
            this.destroy(new EngineError('too_large', 'image_url is too large', { param: 'image_url' }));
          },
        });
        expect(await failure(store.put(source, { extension: 'png' }))).toMatchObject({
          code: 'too_large',
          message: 'image_url is too large',
        });
      });

      it('refuses an extension that it does not know', async () => {
        const source = Readable.from([Buffer.from('x')]);
        expect(await failure(store.put(source, { extension: 'exe' }))).toMatchObject({ code: 'unsupported' });
        expect(source.destroyed).toBe(true);
      });
    });

    describe('adopt', () => {
      it('takes over a file, which is gone from its place', async () => {
        const content = randomBytes(700_000);
        const path = await scratchFile(content);
        const facts = await store.adopt(path, 'webp');
        expect(facts).toMatchObject({ bytes: 700_000, contentType: 'image/webp', createdAt: now });
        expect(existsSync(path)).toBe(false);
        expect((await bytesOf(facts.id)).equals(content)).toBe(true);
        expect(await store.stat(facts.id)).toEqual(facts);
      });

      it('gives the same etag as put does for the same bytes', async () => {
        const content = randomBytes(1000);
        const put = await store.put(Readable.from([content]), { extension: 'png' });
        const adopted = await store.adopt(await scratchFile(content), 'png');
        expect(adopted.etag).toBe(put.etag);
        expect(adopted.id).not.toBe(put.id);
      });

      it('leaves a file of unknown extension where it is', async () => {
        const path = await scratchFile(Buffer.from('x'));
        expect(await failure(store.adopt(path, 'exe'))).toMatchObject({ code: 'unsupported' });
        expect(existsSync(path)).toBe(true);
      });
    });

    describe('copy', () => {
      it('makes a second blob that lives on when the first is removed', async () => {
        const content = randomBytes(5000);
        const first = await store.put(Readable.from([content]), { extension: 'jpg' });
        now += 1000;
        const second = await store.copy(first.id);
        await store.remove(first.id);
        expect(second).toEqual({ ...(await store.stat(second.id)), createdAt: now, etag: first.etag });
        expect((await bytesOf(second.id)).equals(content)).toBe(true);
      });

      it('keeps the second one for the whole retention from now', async () => {
        const first = await store.put(Readable.from([Buffer.from('x')]), { extension: 'jpg' });
        now += 6 * dayMs;
        const second = await store.copy(first.id);
        now += 2 * dayMs;
        await store.prune();
        expect(await failure(store.stat(first.id))).toMatchObject({ code: 'gone' });
        expect((await bytesOf(second.id)).toString()).toBe('x');
      });
    });

    describe('read', () => {
      it.each([
        [0, 0, 'a'],
        [0, 9, 'abcdefghij'],
        [3, 5, 'def'],
        [9, 9, 'j'],
      ])('gives bytes %i to %i', async (start, end, expected) => {
        const { id } = await store.put(Readable.from([Buffer.from('abcdefghij')]), { extension: 'bin' });
        expect((await bytesOf(id, { start, end })).toString()).toBe(expected);
      });

      it.each([
        [0, 10],
        [10, 10],
        [5, 4],
        [-1, 3],
        [Number.NaN, 3],
      ])('refuses the range %d to %d of 10 bytes', async (start, end) => {
        const { id } = await store.put(Readable.from([Buffer.from('abcdefghij')]), { extension: 'bin' });
        expect(await failure(store.read(id, { start, end }))).toMatchObject({ code: 'invalid_input' });
      });

      it('goes on while the blob is removed', async () => {
        const content = randomBytes(3_000_000);
        const { id } = await store.put(Readable.from([content]), { extension: 'bin' });
        const stream = await store.read(id);
        await store.remove(id);
        expect((await buffer(stream)).equals(content)).toBe(true);
      });
    });

    describe('materialize', () => {
      it('gives a local file that outlives its blob until it is released', async () => {
        const content = randomBytes(5000);
        const { id } = await store.put(Readable.from([content]), { extension: 'png' });
        const local = await store.materialize(id);
        await store.remove(id);
        now += 8 * dayMs;
        await store.prune();
        expect((await readFile(local.path)).equals(content)).toBe(true);
        await local.release();
        expect(existsSync(local.path)).toBe(false);
        await expect(local.release()).resolves.toBeUndefined();
      });

      it('gives each task a file of its own', async () => {
        const { id } = await store.put(Readable.from([Buffer.from('x')]), { extension: 'png' });
        const [one, two] = [await store.materialize(id), await store.materialize(id)];
        await one.release();
        expect((await readFile(two.path)).toString()).toBe('x');
        await two.release();
        expect((await bytesOf(id)).toString()).toBe('x');
      });
    });

    describe('what is not there', () => {
      const access: [string, (id: string) => Promise<unknown>][] = [
        ['stat', (id) => store.stat(id)],
        ['read', (id) => store.read(id)],
        ['copy', (id) => store.copy(id)],
        ['materialize', (id) => store.materialize(id)],
      ];

      it.each(access)('%s says not_found for an id that never was', async (_, call) => {
        expect(await failure(call(unknownId))).toMatchObject({ code: 'not_found' });
      });

      it.each(access)(
        '%s says not_found for a removed blob, and gone once it would have been too old',
        async (_, call) => {
          const { id } = await store.put(Readable.from([Buffer.from('x')]), { extension: 'png' });
          await store.remove(id);
          expect(await failure(call(id))).toMatchObject({ code: 'not_found' });
          now += 7 * dayMs + 1;
          expect(await failure(call(id))).toMatchObject({ code: 'gone' });
        },
      );

      it.each(access)('%s says gone for an old blob, pruned or not', async (_, call) => {
        const { id } = await store.put(Readable.from([Buffer.from('x')]), { extension: 'png' });
        now += 7 * dayMs + 1;
        const error = await failure(call(id));
        expect(error).toMatchObject({ code: 'gone' });
        expect(error.message).toBe('This file is no longer kept: files are removed after 7 days');
        await store.prune();
        expect(await failure(call(id))).toMatchObject({ code: 'gone' });
      });

      it.each(
        [
          '',
          '.',
          '..',
          '../secret',
          '/etc/passwd',
          'tmp',
          'a.png',
          unknownId.toUpperCase(),
          `${unknownId}\0`,
          `${unknownId}\n`,
          ` ${unknownId}`,
          unknownId.replace('.png', ''),
          unknownId.replace('.png', '.exe'),
          unknownId.replace('.png', '.constructor'),
          unknownId.replace('.png', '/../x.png'),
          unknownId.slice(1),
          `0${unknownId}`,
          `../${unknownId}`,
          `..%2f${unknownId}`,
        ].map((id) => [JSON.stringify(id), id]),
      )('takes %s for no id at all', async (_, id) => {
        for (const [, call] of access) expect(await failure(call(id))).toMatchObject({ code: 'not_found' });
        await expect(store.remove(id)).resolves.toBeUndefined();
      });
    });

    describe('prune', () => {
      it('removes what is older than the retention and nothing else', async () => {
        const old = await store.put(Readable.from([Buffer.from('old')]), { extension: 'png' });
        now += 3 * dayMs;
        const young = await store.put(Readable.from([Buffer.from('young')]), { extension: 'png' });
        expect(await store.prune()).toBe(0);
        now += 4 * dayMs + 1;
        expect(await store.prune()).toBe(1);
        expect(await failure(store.stat(old.id))).toMatchObject({ code: 'gone' });
        expect((await bytesOf(young.id)).toString()).toBe('young');
        expect(await store.prune()).toBe(0);
      });

      it('separates blobs of neighbouring milliseconds', async () => {
        const first = await store.put(Readable.from([Buffer.from('1')]), { extension: 'png' });
        now += 1;
        const second = await store.put(Readable.from([Buffer.from('2')]), { extension: 'png' });
        now = first.createdAt + 7 * dayMs + 1;
        expect(await store.prune()).toBe(1);
        expect((await bytesOf(second.id)).toString()).toBe('2');
      });
    });

    describe('the floor of free space', () => {
      it('is kept before a byte is read', async () => {
        free = 999_999;
        const source = Readable.from([Buffer.from('x')]);
        const error = await failure(store.put(source, { extension: 'png' }));
        expect(error).toMatchObject({ code: 'storage_full' });
        expect(error.message).toContain('1000 KB left');
        expect(source.destroyed).toBe(true);
        expect(await failure(store.checkSpace())).toMatchObject({ code: 'storage_full' });
      });

      it('is looked at again while a large file is written', async () => {
        const source = Readable.from(
          (function* () {
            for (let megabytes = 0; megabytes < 64; megabytes += 1) {
              if (megabytes === 4) free = 0;
              yield Buffer.alloc(1024 * 1024);
            }
          })(),
        );
        expect(await failure(store.put(source, { extension: 'png' }))).toMatchObject({ code: 'storage_full' });
        free = 1e12;
        await expect(store.checkSpace()).resolves.toBeUndefined();
      });
    });

    it('stores many at the same time, each whole', async () => {
      const contents = Array.from({ length: 24 }, (_, index) => randomBytes(10_000 + index));
      const facts = await Promise.all(contents.map((bytes) => store.put(Readable.from([bytes]), { extension: 'bin' })));
      const read = await Promise.all(facts.map(({ id }) => bytesOf(id)));
      expect(read.every((bytes, index) => bytes.equals(contents[index] ?? Buffer.of()))).toBe(true);
    });
  });
}

function digest(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

async function failure(promise: Promise<unknown>): Promise<EngineError> {
  const error = await promise.then(
    () => new Error('Expected a failure'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof EngineError)) throw error;
  return error;
}
