import { join } from 'node:path';
import { Readable } from 'node:stream';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { openDiskBlobs } from '#src/engine/blobs/disk-blobs.js';
import { takeIn } from '#src/engine/submissions/intake.js';
import { inspect } from '#src/engine/media/image.js';
import { findOperation } from '#src/engine/operations/index.js';
import { tempFolder } from '../../helpers/temp-folder.js';

const limits = { maxBytes: 1e6, maxPixels: 1e6, maxSide: 1000 };

/** What becomes of a picture that is looked at; those that are still are counted. */
const looks = { now: 0, most: 0 };

async function look(path: string, param: string) {
  looks.now += 1;
  looks.most = Math.max(looks.most, looks.now);
  return inspect(path, param, limits).finally(() => {
    looks.now -= 1;
  });
}

/** Submits pictures of these sizes to an operation, in this order; tells which fields were taken in. */
async function submit(operation: string, pictures: [field: string, width: number, height: number, asLink?: boolean][]) {
  const folder = join(await tempFolder(), 'blobs');
  const blobs = await openDiskBlobs({ folder, retentionMs: 1e6, minFreeBytes: 0 });
  const inputs = [];
  for (const [field, width, height, asLink = false] of pictures) {
    const bytes = await sharp({ create: { width, height, channels: 3, background: 'white' } })
      .png()
      .toBuffer();
    if (asLink) inputs.push({ field, url: `data:image/png;base64,${bytes.toString('base64')}` });
    else {
      const { id, sha256 } = await blobs.put(Readable.from([bytes]), { extension: 'png', maxBytes: 1e6 });
      inputs.push({ field, blob: id, bytes: bytes.length, sha256 });
    }
  }
  const found = findOperation(operation);
  if (!found) throw new Error(`No operation ${operation}`);
  const taken = await takeIn({ operation, owner: 'somebody', params: {}, inputs }, found, {
    blobs,
    download: { open: () => Promise.reject(new Error('Nothing here is fetched')), close: async () => {} },
    runner: { inspect: look },
    maxBytes: 1e6,
    patienceMs: 1e4,
    stored: [],
  });
  return taken.map(({ field }) => field);
}

describe('the pictures of a submission', () => {
  it('are looked at side by side, and all of them before one is refused', async () => {
    looks.most = 0;
    const attempt = submit('image-edit', [
      ['image', 30, 20],
      ['mask', 2000, 20],
      ['style_reference', 900, 900],
    ]);
    await expect(attempt).rejects.toMatchObject({ code: 'too_large', details: { param: 'mask' } });
    expect(looks).toEqual({ now: 0, most: 3 });
  });

  it('come back in their order', async () => {
    const order: Parameters<typeof submit>[1] = [
      ['style_reference', 900, 900],
      ['image', 30, 20],
      ['image', 300, 200],
      ['mask', 30, 20],
    ];
    expect(await submit('image-edit', order)).toEqual(order.map(([field]) => field));
  });
});

describe('a picture that lies over another', () => {
  it.each([
    ['image-edit', 'mask'],
    ['background-removal', 'trimap'],
  ])('is taken for %s where it is as large: %s', async (operation, field) => {
    const pictures: Parameters<typeof submit>[1] = [
      [field, 30, 20],
      ['image', 30, 20],
    ];
    expect(await submit(operation, pictures)).toEqual([field, 'image']);
  });

  it.each([
    ['image-edit', 'mask', false],
    ['background-removal', 'trimap', false],
    ['background-removal', 'trimap', true],
  ])('is refused for %s where it is not: %s (linked: %s)', async (operation, field, asLink) => {
    const param = asLink ? `${field}_url` : field;
    const attempt = submit(operation, [
      [field, 20, 30, asLink],
      ['image', 30, 20],
    ]);
    await expect(attempt).rejects.toMatchObject({
      code: 'invalid_input',
      details: { param },
      message: `Expected \`${param}\` to be as large as the picture, 30 × 20, got 20 × 30`,
    });
  });

  it('is held against the first of several pictures', async () => {
    const others: Parameters<typeof submit>[1] = [
      ['image', 30, 20],
      ['image', 50, 50],
      ['style_reference', 7, 7],
    ];
    expect(await submit('image-edit', [...others, ['mask', 30, 20]])).toHaveLength(4);
    await expect(submit('image-edit', [...others, ['mask', 50, 50]])).rejects.toThrow('30 × 20, got 50 × 50');
  });
});
