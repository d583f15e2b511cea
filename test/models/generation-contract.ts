import { describe, expect, test } from 'vitest';
import type { LoadedModel } from '#src/models/load.js';
import type { GenerationModel } from '#src/models/model.js';
import { noise } from '../helpers/pictures.js';

/** What every model that makes pictures of words does, whatever its family. `load` makes it anew for each test. */
export function generationContract(name: string, load: () => Promise<LoadedModel>): void {
  const using = async (check: (model: GenerationModel) => Promise<void>) => {
    const loaded = await load();
    try {
      if (loaded.task !== 'image-generation')
        throw new Error(`Expected a model that makes pictures, got ${loaded.task}`);
      await check(loaded.model);
    } finally {
      await loaded.release();
    }
  };

  describe(`${name} as a model that makes pictures`, () => {
    test('makes one of its own size, or of one that is asked for', () =>
      using(async ({ size, multiple, generate }) => {
        expect(await generate('a shoe', { seed: 1 })).toMatchObject({ width: size, height: size, channels: 3 });
        const other = { width: multiple, height: 2 * multiple };
        const { data, ...made } = await generate('a shoe', { seed: 1, size: other });
        expect(made).toEqual({ ...other, channels: 3 });
        expect(data).toHaveLength(3 * other.width * other.height);
      }));

    test('makes the same of the same words and seed, and another of others', () =>
      using(async ({ multiple, generate }) => {
        const size = { width: multiple, height: multiple };
        const make = async (prompt: string, seed: number) => (await generate(prompt, { seed, size })).data;
        const picture = await make('a shoe', 1);
        expect(await make('a shoe', 1)).toEqual(picture);
        expect(await make('a shoe', 2)).not.toEqual(picture);
        expect(await make('something else altogether', 1)).not.toEqual(picture);
      }));

    test.each(['', '👟 鞋 обувь', 'word '.repeat(500)])('takes words of every kind: %j', (prompt) =>
      using(async ({ multiple, generate }) => {
        const size = { width: multiple, height: multiple };
        expect((await generate(prompt, { seed: 1, size })).data).toHaveLength(3 * multiple ** 2);
      }),
    );

    test('goes on from a picture, whose size it keeps', () =>
      using(async ({ multiple, generate }) => {
        const picture = noise({ width: 2 * multiple, height: multiple }, 3);
        const before = picture.data.slice();
        const made = await generate('a shoe', { seed: 1, from: { picture, strength: 0.5 } });
        expect(made).toMatchObject({ width: 2 * multiple, height: multiple, channels: 3 });
        expect(picture.data).toEqual(before);
      }));

    test.each([
      [0, 64],
      [100, 64],
      [64, -64],
    ])('refuses a size of %d × %d', (width, height) =>
      using(async ({ generate }) => {
        const size = { width, height };
        await expect(generate('a shoe', { seed: 1, size })).rejects.toMatchObject({ code: 'invalid_input' });
      }),
    );

    test('says how far it is, and stops where it is told to', () =>
      using(async ({ multiple, generate }) => {
        const size = { width: multiple, height: multiple };
        const fractions: number[] = [];
        await generate('a shoe', { seed: 1, size, checkpoint: (fraction) => void fractions.push(fraction) });
        expect(fractions.length).toBeGreaterThan(2);
        expect(fractions).toEqual([...fractions].sort((one, other) => one - other));
        const stop = (fraction: number) => {
          if (fraction > 0) throw new Error('stopped');
        };
        await expect(generate('a shoe', { seed: 1, size, checkpoint: stop })).rejects.toThrow('stopped');
      }));
  });
}
