import { expect, test } from 'vitest';
import { loadModel } from '#src/models/load.js';
import { readLockfile } from '#src/models/lockfile.js';
import { bundledFolder, lockfilePath } from '#src/models/files/weights.js';

const side = 64;

test('cutout finds in a mirror image the mirror image of what it finds in the picture', async () => {
  const entry = readLockfile(lockfilePath).models.find(({ id }) => id === 'cutout');
  if (!entry) throw new Error('No cutout in the lock file');
  const loaded = await loadModel(entry, { folder: bundledFolder, device: 'cpu', threads: 1 });
  if (loaded.task !== 'background-removal') throw new Error(`cutout is for ${loaded.task}`);
  const data = Uint8Array.from({ length: 3 * side * side }, (_, at) => (at * 7919) % 256);
  const turned = data.map((_, at) => data[3 * mirrored(Math.floor(at / 3)) + (at % 3)] as number);
  const look = (pixels: Uint8Array) => loaded.model.predict({ data: pixels, width: side, height: side, channels: 3 });
  const [there, back] = [await look(data), await look(turned)];
  const worst = there.data.reduce((most, value, at) => {
    return Math.max(most, Math.abs(value - (back.data[mirrored(at)] as number)));
  }, 0);
  expect(worst).toBeLessThan(1e-5);
  await loaded.release();
});

function mirrored(at: number): number {
  return at - (at % side) + side - 1 - (at % side);
}
