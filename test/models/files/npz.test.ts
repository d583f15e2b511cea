import { buffer } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { ZipFile } from 'yazl';
import { readNpz } from '#src/models/files/npz.js';
import { npy } from '../../helpers/npy.js';

const floats = Float32Array.of(1, -2.5, 3, 4, 5, 6);

async function archive(files: Record<string, Buffer>, compress = false): Promise<Buffer> {
  const zip = new ZipFile();
  for (const [name, bytes] of Object.entries(files)) zip.addBuffer(bytes, name, { compress });
  zip.end();
  return buffer(zip.outputStream);
}

describe('readNpz', () => {
  test.each([false, true])('reads arrays and their shapes, packed: %s', async (compress) => {
    const arrays = readNpz(await archive({ 'a.npy': npy(floats, [2, 3]), 'b.npy': npy(floats, [6]) }, compress));
    expect([...arrays]).toEqual([
      ['a', { data: floats, shape: [2, 3] }],
      ['b', { data: floats, shape: [6] }],
    ]);
  });

  test('refuses an archive wherever it is cut off', async () => {
    const whole = await archive({ 'a.npy': npy(floats, [6]) });
    for (let length = 0; length < whole.length; length += 7) expect(() => readNpz(whole.subarray(0, length))).toThrow();
    // Its list of files is there, and what that lists is not.
    expect(() => readNpz(whole.subarray(60))).toThrow();
  });

  test.each([
    ['other samples', npy(floats, [6], '<f8'), /32-bit floats/],
    ['a shape with more samples than there are', npy(floats, [7]), /cut off/],
    ['no array', Buffer.from('hello, this is no array'), /a\.npy is no array/],
  ])('refuses %s', async (_, file, message) => {
    const zip = await archive({ 'a.npy': file });
    expect(() => readNpz(zip)).toThrow(message);
  });

  test('refuses what would unpack to more than any voice has', async () => {
    const zip = await archive({ 'a.npy': Buffer.alloc(70_000_000) }, true);
    expect(zip.length).toBeLessThan(100_000);
    expect(() => readNpz(zip)).toThrow();
  });
});
