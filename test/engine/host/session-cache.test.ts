import { describe, expect, it } from 'vitest';
import { SessionCache } from '#src/engine/host/session-cache.js';

interface Model {
  id: string;
  bytes: number;
  release(): Promise<void>;
}

/** A cache of models whose id is their size; `growth` is what a load adds to the process. */
function openCache(budget: number, growth = 0) {
  const log: string[] = [];
  let resident = 0;
  const load = async (id: string): Promise<Model> => {
    if (Number.isNaN(Number(id))) throw new Error(`no model ${id}`);
    log.push(`load ${id}`);
    resident += growth;
    const release = async () => {
      log.push(`release ${id}`);
    };
    return { id, bytes: Number(id), release };
  };
  return { cache: new SessionCache<Model>({ budget, load, residentBytes: () => resident }), log };
}

describe('SessionCache', () => {
  it('loads a model once', async () => {
    const { cache, log } = openCache(100);
    const first = await cache.get('10');
    expect(await cache.get('10')).toBe(first);
    expect(log).toEqual(['load 10']);
    expect(cache.report(0)).toEqual({ warm: ['10'], free: 80, evictions: 0 });
  });

  it('unloads the least recently used models until the rest fits', async () => {
    const { cache, log } = openCache(100);
    for (const id of ['10', '11', '12']) await cache.get(id);
    await cache.get('10');
    expect((await cache.load('30')).evictions).toBe(2);
    expect(log.slice(3)).toEqual(['load 30', 'release 11', 'release 12']);
    expect(cache.report(2)).toEqual({ warm: ['10', '30'], free: 20, evictions: 2 });
  });

  it('makes room first for a model whose size it knows', async () => {
    const { cache, log } = openCache(100);
    await cache.get('40');
    await cache.get('30');
    log.length = 0;
    expect((await cache.load('40')).evictions).toBe(1);
    expect(log).toEqual(['release 30', 'load 40']);
  });

  it('keeps a model that is larger than the budget, alone', async () => {
    const { cache } = openCache(100);
    await cache.get('10');
    expect((await cache.load('90')).evictions).toBe(1);
    expect(cache.report(1)).toEqual({ warm: ['90'], free: -80, evictions: 1 });
  });

  it.each([
    [25, 25],
    [5, 20],
    [500, 40],
  ])('takes a growth of the process of %i bytes as %i for a model of 10', async (growth, size) => {
    const { cache } = openCache(100, growth);
    await cache.get('10');
    expect(cache.report(0).free).toBe(100 - size);
  });

  it('forgets nothing when a load fails', async () => {
    const { cache } = openCache(100);
    await cache.get('10');
    await expect(cache.load('x')).rejects.toThrow('no model x');
    expect(cache.report(0).warm).toEqual(['10']);
  });
});
