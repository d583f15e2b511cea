import { mkdir, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { isDone, planFolder } from '#src/engine/folders/folder.js';
import { tempFolder } from '../../helpers/temp-folder.js';

describe('planFolder', () => {
  it('takes pictures in a stable order, sub-folders included, and leaves the rest', async () => {
    const folder = await filled([
      'b.jpg',
      'a.JPEG',
      'sub/c.png',
      'notes.txt',
      '.hidden.jpg',
      '.cache/d.jpg',
      'Thumbs.db',
    ]);
    const items = await planFolder(folder, '/out', 'png');
    expect(items).toEqual([
      { source: join(folder, 'a.JPEG'), target: '/out/a.png' },
      { source: join(folder, 'b.jpg'), target: '/out/b.png' },
      { source: join(folder, 'sub/c.png'), target: '/out/sub/c.png' },
    ]);
  });

  it('keeps the extension where two pictures would get the same name', async () => {
    const folder = await filled(['shoe.jpg', 'shoe.webp', 'bag.jpg']);
    const targets = (await planFolder(folder, '/out', 'png')).map(({ target }) => target);
    expect(targets).toEqual(['/out/bag.png', '/out/shoe.jpg.png', '/out/shoe.webp.png']);
  });

  it('does not take its own results when the output lies inside the input', async () => {
    const folder = await filled(['a.jpg', 'out/a.png']);
    expect((await planFolder(folder, join(folder, 'out'), 'png')).map(({ source }) => source)).toEqual([
      join(folder, 'a.jpg'),
    ]);
  });

  it('does not follow links out of the folder', async () => {
    const elsewhere = await filled(['private.jpg']);
    const folder = await filled(['a.jpg']);
    await symlink(join(elsewhere, 'private.jpg'), join(folder, 'link.jpg'));
    await symlink(elsewhere, join(folder, 'linked'));
    expect((await planFolder(folder, '/out', 'png')).map(({ source }) => source)).toEqual([join(folder, 'a.jpg')]);
  });
});

describe('isDone', () => {
  it('is true for a result that is not older than its source', async () => {
    const folder = await filled(['a.jpg', 'a.png']);
    const item = { source: join(folder, 'a.jpg'), target: join(folder, 'a.png') };
    await utimes(item.target, 2_000, 2_000);
    await utimes(item.source, 1_000, 1_000);
    expect(await isDone(item)).toBe(true);
    await utimes(item.source, 3_000, 3_000);
    expect(await isDone(item)).toBe(false);
  });

  it('is false for what is not there', async () => {
    const folder = await filled(['a.jpg']);
    expect(await isDone({ source: join(folder, 'a.jpg'), target: join(folder, 'a.png') })).toBe(false);
    expect(await isDone({ source: join(folder, 'gone.jpg'), target: join(folder, 'a.jpg') })).toBe(false);
  });
});

async function filled(names: string[]): Promise<string> {
  const folder = await tempFolder();
  for (const name of names) {
    const path = join(folder, name);
    await mkdir(join(path, '..'), { recursive: true });
    await writeFile(path, name);
  }
  return folder;
}
