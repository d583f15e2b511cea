import { execFile } from 'node:child_process';
import { existsSync, readdirSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import type { Pixels } from '#src/engine/media/media.js';
import { openSpool, type Spool } from '#src/engine/media/spool.js';
import { saved, scene, temporaryFolder } from './pictures.js';

describe('openSpool', () => {
  it('skips what stands before the first row', async () => {
    const reader = await openSpool(spooled(scene(3, 4, 3), 64), 1);
    expect(await reader.readRows(1, 2)).toEqual({ ...scene(3, 4, 3), height: 2, data: rowsOf(scene(3, 4, 3), 1, 2) });
    await reader.close();
  });

  it('turns a picture that is larger than what it holds at a time', async () => {
    // 24 MB: two strips of 16 MB.
    const lying = scene(4001, 1999, 3);
    const reader = await openSpool(spooled(lying), 6);
    expect([reader.width, reader.height]).toEqual([1999, 4001]);
    for (const [x, y] of [
      [0, 0],
      [1998, 0],
      [0, 4000],
      [1998, 4000],
      [600, 3999],
      [602, 17],
    ] as const) {
      const row = await reader.readRows(y, 1);
      const stored = ((1998 - x) * 4001 + y) * 3;
      expect([...row.data.subarray(x * 3, x * 3 + 3)], `${x}, ${y}`).toEqual([
        ...lying.data.subarray(stored, stored + 3),
      ]);
    }
    await reader.close();
  });

  it('takes an orientation that EXIF does not know for none', async () => {
    for (const orientation of [0, 9, 255]) {
      const reader = await openSpool(spooled(scene(5, 3, 4)), orientation);
      expect((await reader.readRows(0, 3)).data).toEqual(rowsOf(scene(5, 3, 4), 0, 3));
      await reader.close();
    }
  });

  it('refuses rows that the picture does not have', async () => {
    const reader = await openSpool(spooled(scene(5, 3, 3)), 1);
    for (const [top, rows] of [
      [-1, 1],
      [0, 4],
      [3, 1],
      [0, 0],
    ] as const) {
      await expect(reader.readRows(top, rows)).rejects.toMatchObject({ code: 'internal' });
    }
    await reader.close();
  });

  it('says when the file is shorter than the picture', async () => {
    for (const orientation of [1, 6]) {
      const spool = spooled(scene(50, 30, 3));
      truncateSync(spool.path, 4000);
      const work = openSpool(spool, orientation).then((reader) => reader.readRows(20, 10).finally(reader.close));
      await expect(work).rejects.toThrow(/^Expected \d+ bytes of rows/);
    }
  });

  it.skipIf(!existsSync('/proc/self/status'))(
    'keeps a picture of 48 megapixels out of memory from decoding to encoding, also a turned one',
    async () => {
      const folder = temporaryFolder();
      const background = { width: 8000, height: 6000, channels: 3, background: '#456' } as const;
      const path = join(folder, 'photo.jpg');
      await sharp({ create: background }).withMetadata({ orientation: 6 }).jpeg().toFile(path);
      const script = join(import.meta.dirname, 'copy-by-rows.mjs');
      const { stdout } = await promisify(execFile)(process.execPath, [script, path, folder]);
      const { width, height, peakMegabytes } = JSON.parse(stdout);
      expect([width, height]).toEqual([6000, 8000]);
      // The picture alone has 144 MB, Node.js with sharp 70.
      expect(peakMegabytes).toBeLessThan(190);
      expect(readdirSync(folder)).toHaveLength(2);
    },
  );
});

function spooled(picture: Pixels & { channels: 3 | 4 }, offset = 0): Spool {
  const path = saved(Buffer.concat([Buffer.alloc(offset, 255), picture.data]));
  return { path, width: picture.width, height: picture.height, channels: picture.channels, offset };
}

function rowsOf({ data, width, channels }: Pixels, top: number, rows: number): Buffer {
  return Buffer.from(data.subarray(top * width * channels, (top + rows) * width * channels));
}
