import { appendFileSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { watchFolder } from '#src/engine/folders/watch-folder.js';
import { until } from '../../helpers/until.js';
import { temporaryFolder } from '../media/pictures.js';

/** Watches a folder in the background; `seen` grows. */
function start(folder: string, settleMs = 100) {
  const stop = new AbortController();
  const seen: string[] = [];
  const sizes: number[] = [];
  const ended = (async () => {
    const options = { excluded: join(folder, 'out'), settleMs, signal: stop.signal };
    for await (const path of watchFolder(folder, options)) {
      sizes.push(statSync(path).size);
      seen.push(path.slice(folder.length + 1));
    }
  })();
  const end = () => {
    stop.abort();
    return ended;
  };
  return { seen, sizes, stop: end };
}

describe('watchFolder', () => {
  test('gives what is there already, and what comes', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'first.jpg'), 'x');
    const { seen, stop } = start(folder);
    await until(() => seen.length === 1, 'the first file');
    mkdirSync(join(folder, 'sub'));
    writeFileSync(join(folder, 'sub', 'second.png'), 'x');
    await until(() => seen.length === 2, 'the second file');
    await stop();
    expect(seen).toEqual(['first.jpg', join('sub', 'second.png')]);
  });

  test('waits until a file has stopped growing, and gives it once', async () => {
    const folder = temporaryFolder();
    const { seen, sizes, stop } = start(folder, 1_500);
    const path = join(folder, 'large.jpg');
    for (let part = 0; part < 8; part += 1) {
      appendFileSync(path, 'x'.repeat(1000));
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await until(() => seen.length > 0, 'a file');
    await stop();
    expect({ seen, sizes }).toEqual({ seen: ['large.jpg'], sizes: [8000] });
  });

  test('leaves alone what is hidden, no picture, or a result', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'out'));
    for (const name of ['.hidden.jpg', 'notes.txt', 'a.jpg.part', join('out', 'made.png'), 'z.webp']) {
      writeFileSync(join(folder, name), 'x');
    }
    const { seen, stop } = start(folder);
    await until(() => seen.length > 0, 'a file');
    await stop();
    expect(seen).toEqual(['z.webp']);
  });
});
