// Stores files of random length in a folder and prints each id once it is stored, until it is killed.
import { randomBytes, randomInt } from 'node:crypto';
import { writeSync } from 'node:fs';
import { Readable } from 'node:stream';
import { openDiskBlobs } from '#src/engine/blobs/disk-blobs.js';

const store = await openDiskBlobs({ folder: process.argv[2], retentionMs: 86_400_000, minFreeBytes: 0 });

async function putForever() {
  for (;;) {
    const chunks = Array.from({ length: randomInt(1, 40) }, () => randomBytes(10_000));
    const { id } = await store.put(Readable.from(chunks), { extension: 'bin' });
    writeSync(1, `${id}\n`);
  }
}

await Promise.all([putForever(), putForever(), putForever()]);
