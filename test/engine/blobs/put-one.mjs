// Stores one file of as many bytes as asked for and prints `stored`, or the code of the error and what is left behind.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { openDiskBlobs } from '#src/engine/blobs/disk-blobs.js';

const [folder, megabytes] = process.argv.slice(2);
const store = await openDiskBlobs({ folder, retentionMs: 86_400_000, minFreeBytes: 0 });
const chunks = Array.from({ length: Number(megabytes) }, () => Buffer.alloc(1024 * 1024));

const outcome = await store.put(Readable.from(chunks), { extension: 'bin' }).then(
  () => 'stored',
  ({ code }) => `${code}, ${readdirSync(join(folder, 'tmp')).length} left behind`,
);
process.stdout.write(outcome);
