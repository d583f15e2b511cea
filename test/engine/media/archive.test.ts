import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { unzip } from '../../helpers/zip.js';
import { makeKit, scene } from './pictures.js';

describe('ImageKit.pack', () => {
  it('puts files into one zip under their names, and leaves only that', async () => {
    const kit = makeKit();
    const colour = await kit.encode(scene(40, 30, 3), 'jpg');
    const alpha = await kit.encode(scene(40, 30, 1), 'png');
    const bytes = [colour, alpha].map(({ path }) => readFileSync(path));
    const packed = await kit.pack([
      { name: 'color.jpg', file: colour },
      { name: 'alpha.png', file: alpha },
    ]);
    expect(packed).toMatchObject({ format: 'zip', contentType: 'application/zip', width: 40, height: 30 });
    const files = unzip(readFileSync(packed.path));
    expect(Object.keys(files)).toEqual(['color.jpg', 'alpha.png']);
    expect(files['color.jpg']?.equals(bytes[0] as Buffer)).toBe(true);
    expect(files['alpha.png']?.equals(bytes[1] as Buffer)).toBe(true);
    expect([existsSync(colour.path), existsSync(alpha.path)]).toEqual([false, false]);
  });

  it('makes the same zip of the same files', async () => {
    const pack = async () => {
      const kit = makeKit();
      const packed = await kit.pack([{ name: 'a.png', file: await kit.encode(scene(9, 9, 3), 'png') }]);
      return readFileSync(packed.path);
    };
    expect((await pack()).equals(await pack())).toBe(true);
  });
});
