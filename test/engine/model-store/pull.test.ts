import { createHash } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { EngineError } from '#src/engine/errors.js';
import { incomingName } from '#src/engine/model-store/staging.js';
import { type PullParts, pullModel } from '#src/engine/model-store/pull.js';
import { openNetwork } from '#src/engine/model-store/network.js';
import type { ModelEntry } from '#src/models/lockfile.js';
import { readVerified } from '#src/models/files/weights.js';
import { tempFolder } from '../../helpers/temp-folder.js';
import { tinyCutout } from '../../helpers/tiny-models.js';
import { type WeightsServer, weightsServer } from './weights-server.js';

const { entry: tiny, bytes } = tinyCutout();
const voices = new Uint8Array(5000).fill(7);

/** The tiny model with a second file, as this server has it. */
function listedAt({ origin }: WeightsServer, change: Partial<ModelEntry['files'][0]> = {}): ModelEntry {
  const [main] = tiny.files;
  if (!main) throw new Error('The tiny model has no file');
  const sha256 = createHash('sha256').update(voices).digest('hex');
  return {
    ...tiny,
    tier: 'open',
    files: [
      { ...main, url: `${origin}/net.onnx`, ...change },
      { name: 'voices.bin', part: 'voices', url: `${origin}/voices.bin`, bytes: voices.length, sha256 },
    ],
  };
}

function partsIn(folder: string, change: Partial<PullParts> = {}): PullParts {
  const network = openNetwork({ httpProxy: '', httpsProxy: '', noProxy: '' });
  return { folder, network, mirror: null, minFreeBytes: 0, freeBytes: async () => 1e12, pauses: [1, 1], ...change };
}

async function setUp(manners: WeightsServer['manners'] = {}) {
  const server = await weightsServer({ '/net.onnx': bytes, '/voices.bin': voices }, manners);
  const folder = await tempFolder();
  return { server, folder, entry: listedAt(server), parts: partsIn(folder) };
}

const installed = (folder: string) => join(folder, tiny.id);
const seen = async (folder: string) => (await readdir(folder)).filter((name) => name !== incomingName);

describe('pullModel', () => {
  test('fetches every file, checks it, and tells how far it is', async () => {
    const { folder, entry, parts } = await setUp();
    const told: [string, number, number | null][] = [];
    await pullModel(entry, parts, { onProgress: (file, done, total) => told.push([file.name, done, total]) });
    expect((await readdir(installed(folder))).sort()).toEqual(['model.json', 'tiny-cutout.onnx', 'voices.bin']);
    for (const file of entry.files) await readVerified(entry, file, folder);
    expect(told.at(-1)).toEqual(['voices.bin', 5000, 5000]);
    expect(await readdir(join(folder, incomingName))).toEqual([]);
  });

  test('goes on where a cut connection ended', async () => {
    const { server, entry, parts } = await setUp({ cutAfter: 2000 });
    await pullModel(entry, parts);
    const ranges = server.asked.filter(({ url }) => url === '/voices.bin').map(({ range, status }) => [range, status]);
    expect(ranges).toEqual([
      [undefined, 200],
      ['bytes=2000-', 206],
      ['bytes=4000-', 206],
    ]);
  });

  test('goes on in another run of the program, and shows nothing of a model meanwhile', async () => {
    const { server, folder, entry, parts } = await setUp();
    server.manners = { cutAfter: 4000, failures: { status: 503, count: 0 } };
    server.files['/voices.bin'] = voices;
    const broken = { ...parts, pauses: [] };
    await expect(pullModel(entry, broken)).rejects.toMatchObject({
      code: 'provider_unavailable',
      message: expect.stringMatching(/voices\.bin can't be fetched: .*4000 bytes that came are kept, so run it again/),
    });
    expect(await seen(folder)).toEqual([]);
    server.manners = {};
    server.asked.length = 0;
    await pullModel(entry, parts);
    expect(server.asked).toEqual([{ method: 'GET', url: '/voices.bin', range: 'bytes=4000-', status: 206 }]);
  });

  test.each([
    ['ignores ranges', { ignoresRanges: true }],
    ['has another file by now', { changes: true }],
    ['gives nothing to recognise the file by', { hasNoValidator: true }],
  ])('begins anew when the server %s', async (_, manners) => {
    const { server, folder, entry, parts } = await setUp({ ...manners, cutAfter: 3000, cuts: 1 });
    await pullModel(entry, parts);
    expect(server.asked.every(({ status }) => status === 200)).toBe(true);
    expect(Buffer.from(voices).equals(await readFile(join(installed(folder), 'voices.bin')))).toBe(true);
  });

  test('waits for a server that is busy, and gives up on one that stays so', async () => {
    const { server, entry, parts } = await setUp({ failures: { status: 503, count: 2 } });
    await pullModel(entry, parts);
    server.manners = { failures: { status: 503, count: 100 } };
    const other = { ...entry, id: 'other' };
    await expect(pullModel(other, parts)).rejects.toThrow(
      "can't be fetched: the server answered 503; run it again later",
    );
  });

  test('follows redirects and keeps its range', async () => {
    const { server, entry, parts } = await setUp({ redirects: { '/net.onnx': '/cdn/net.onnx' }, cutAfter: 1000 });
    server.files['/cdn/net.onnx'] = bytes;
    await pullModel(entry, parts);
    expect(server.asked.slice(0, 2).map(({ url, status }) => [url, status])).toEqual([
      ['/net.onnx', 302],
      ['/cdn/net.onnx', 200],
    ]);
  });

  test('ends a circle of redirects, and takes none out of the web', async () => {
    const { server, entry, parts } = await setUp({ redirects: { '/net.onnx': '/net.onnx' } });
    await expect(pullModel(entry, parts)).rejects.toThrow('sent on more than 5 times');
    server.manners = { redirects: { '/net.onnx': 'file:///etc/passwd' } };
    await expect(pullModel(entry, parts)).rejects.toThrow('sent on to "file:///etc/passwd", which is not taken');
  });

  test('refuses wrong bytes of the right length, keeps none of them, and names both digests', async () => {
    const { server, folder, entry, parts } = await setUp();
    server.files['/net.onnx'] = bytes.map((byte, index) => (index === 100 ? byte ^ 1 : byte));
    await expect(pullModel(entry, parts)).rejects.toMatchObject({
      code: 'model_unavailable',
      message: expect.stringMatching(/"tiny-cutout" is refused: expected tiny-cutout.onnx with sha256 .*, found /),
    });
    expect(await seen(folder)).toEqual([]);
    expect((await readdir(join(folder, incomingName, tiny.id))).filter((name) => /part$|onnx$/.test(name))).toEqual([]);
  });

  test('refuses another length before a byte is read, and an endless answer', async () => {
    const { server, entry, parts } = await setUp();
    server.files['/net.onnx'] = new Uint8Array(bytes.length + 1);
    await expect(pullModel(entry, parts)).rejects.toThrow(
      `expected ${bytes.length} bytes, the server offers ${bytes.length + 1}`,
    );
  });

  test('takes the mirror first, then the address, then the other addresses', async () => {
    const { server, folder, entry } = await setUp();
    const files = entry.files.map((file) => ({ ...file, mirrors: [`${server.origin}/second/${file.name}`] }));
    for (const file of files) server.files[`/second/${file.name}`] = file.part ? voices : bytes;
    delete server.files['/net.onnx'];
    server.files['/voices.bin'] = new Uint8Array(5000);
    await pullModel({ ...entry, files }, partsIn(folder, { mirror: `${server.origin}/mirror` }));
    expect(server.asked.map(({ url }) => url)).toEqual([
      '/mirror/tiny-cutout/tiny-cutout.onnx',
      '/net.onnx',
      '/second/tiny-cutout.onnx',
      '/mirror/tiny-cutout/voices.bin',
      '/voices.bin',
      '/second/voices.bin',
    ]);
  });

  test('pins the digest of a file without one, after checking its MD5', async () => {
    const { server, entry, parts } = await setUp();
    const md5 = createHash('md5').update(bytes).digest('hex');
    const [main, second] = listedAt(server, { sha256: null, bytes: null, md5 }).files;
    if (!main || !second) throw new Error('no file');
    await expect(pullModel({ ...entry, files: [{ ...main, md5: '0'.repeat(32) }, second] }, parts)).rejects.toThrow(
      'with md5 000',
    );
    const pinned = await pullModel({ ...entry, files: [main, second] }, parts);
    expect(pinned.files[0]).toMatchObject({ bytes: bytes.length, sha256: tiny.files[0]?.sha256 });
  });

  test('refuses a network that its entry does not describe, before it has a place', async () => {
    const { folder, entry, parts } = await setUp();
    const strange = { ...entry, inputs: [{ name: 'picture', type: 'uint8' as const, shape: null }] };
    await expect(pullModel(strange, parts)).rejects.toThrow('is refused: expected an input "picture"');
    expect(await readdir(join(folder, incomingName, tiny.id))).not.toContain('tiny-cutout.onnx');
    expect(await seen(folder)).toEqual([]);
  });

  test('refuses a page of the web in place of a file that nobody published a digest of', async () => {
    const { server, entry, parts } = await setUp();
    const page = Buffer.from('<html>Sign in to this network</html>');
    const unknown = { bytes: null, sha256: null };
    server.files['/config.json'] = page;
    const config = { name: 'config.json', part: 'config', url: `${server.origin}/config.json`, ...unknown };
    const withConfig = { ...entry, files: [...entry.files, config] };
    await expect(pullModel(withConfig, parts)).rejects.toThrow('config.json is no JSON');
    server.files['/config.json'] = Buffer.from('{"sample_rate": 22050}');
    await pullModel(withConfig, parts);
    server.files['/net.onnx'] = page;
    const other = { ...listedAt(server, unknown), id: 'other' };
    await expect(pullModel(other, parts)).rejects.toThrow('no complete ONNX network');
    server.files['/net.onnx'] = bytes;
    await pullModel(other, parts);
  });

  test('leaves files that everybody may read, whoever pulled them', async () => {
    const { folder, entry, parts } = await setUp();
    await pullModel(entry, parts);
    for (const name of await readdir(installed(folder))) {
      expect((statSync(join(installed(folder), name)).mode & 0o777).toString(8)).toBe('644');
    }
  });

  test('asks for room on the disk before anything else', async () => {
    const { server, entry, folder } = await setUp();
    const parts = partsIn(folder, { minFreeBytes: 1000, freeBytes: async () => 2000 });
    await expect(pullModel(entry, parts)).rejects.toMatchObject({ code: 'storage_full' });
    expect(server.asked).toEqual([]);
    const unknown = { ...entry, files: entry.files.map((file) => ({ ...file, bytes: null })) };
    await expect(pullModel(unknown, parts)).rejects.toMatchObject({ code: 'storage_full' });
  });

  test('fetches only what is missing or damaged', async () => {
    const { server, folder, entry, parts } = await setUp();
    await pullModel(entry, parts);
    await writeFile(join(installed(folder), 'voices.bin'), new Uint8Array(5000));
    server.asked.length = 0;
    await pullModel(entry, parts);
    expect(server.asked.map(({ url }) => url)).toEqual(['/voices.bin']);
    expect(Buffer.from(voices).equals(await readFile(join(installed(folder), 'voices.bin')))).toBe(true);
  });

  test('says how a model comes that nobody publishes', async () => {
    const { entry, parts } = await setUp();
    const files = entry.files.map((file) => ({ ...file, url: null }));
    await expect(pullModel({ ...entry, files }, parts)).rejects.toThrow(
      'npx darkroom models import FILE --as tiny-cutout',
    );
  });

  test('stops when it is told to, and keeps what came', async () => {
    const { folder, entry, parts } = await setUp({ cutAfter: 3000 });
    const stop = new AbortController();
    const pulling = pullModel(entry, { ...parts, pauses: [60_000] }, { signal: stop.signal });
    const refused = expect(pulling).rejects.toThrow('enough');
    const begun = join(folder, incomingName, tiny.id, 'voices.bin.part');
    await expect.poll(() => existsSync(begun) && statSync(begun).size).toBe(3000);
    stop.abort(new EngineError('cancelled', 'enough'));
    await refused;
    expect(statSync(begun).size).toBe(3000);
  });

  test('lets one process install a model at a time, and takes over from one that died', async () => {
    const { folder, entry, parts } = await setUp();
    await mkdir(join(folder, incomingName), { recursive: true });
    await writeFile(join(folder, incomingName, `${tiny.id}.lock`), String(process.pid));
    await expect(pullModel(entry, parts)).rejects.toMatchObject({ code: 'busy' });
    await writeFile(join(folder, incomingName, `${tiny.id}.lock`), '999999999');
    await pullModel(entry, parts);
  });

  test('goes through the proxy that it is told of, except where that is not wanted', async () => {
    const { server, folder, entry } = await setUp();
    const { port } = new URL(server.origin);
    const nowhere = { httpProxy: 'http://127.0.0.1:9', httpsProxy: '' };
    const proxied = { ...partsIn(folder), network: openNetwork({ ...nowhere, noProxy: '' }), pauses: [] };
    await expect(pullModel(entry, proxied)).rejects.toMatchObject({ code: 'provider_unavailable' });
    expect(server.asked).toEqual([]);
    await pullModel(entry, { ...proxied, network: openNetwork({ ...nowhere, noProxy: `127.0.0.1:${port}` }) });
  });
});
