import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { candidates, chooseLayout, decideLayout } from '#src/engine/host/layout.js';
import { testSettings } from '../../fixtures/host/settings.js';

const unset = { workers: null, threads: null };

describe('candidates', () => {
  it.each([
    [1, '1×1'],
    [2, '1×2 2×1'],
    [4, '1×4 2×2 4×1'],
    [6, '1×6 2×3 3×2 6×1'],
    [7, '1×7 2×3 3×2 7×1'],
    [16, '1×16 2×8 3×5 4×4 8×2 16×1'],
  ])('on %i cores use them all', (cores, expected) => {
    const found = candidates(cores, 64).map(({ workers, threads }) => `${workers}×${threads}`);
    expect(found.join(' ')).toBe(expected);
    for (const { workers, threads } of candidates(cores, 64)) expect(workers * threads).toBeLessThanOrEqual(cores);
  });

  it('have no more workers than models fit into memory for', () => {
    expect(Math.max(...candidates(64, 6).map(({ workers }) => workers))).toBe(6);
  });
});

describe('chooseLayout', () => {
  it('takes the fewest workers that are within a tenth of the best', () => {
    const measured = [
      { workers: 1, threads: 4, runsPerSecond: 89 },
      { workers: 4, threads: 1, runsPerSecond: 100 },
      { workers: 2, threads: 2, runsPerSecond: 91 },
    ];
    expect(chooseLayout(measured)).toEqual({ workers: 2, threads: 2 });
  });
});

describe('decideLayout', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'darkroom-layout-'));
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('takes what is set, and fills the cores when half of it is', async () => {
    const decide = (workers: number | null, threads: number | null) =>
      decideLayout(testSettings({ workers, threads }), 'cpu', 8);
    expect(await decide(3, 5)).toEqual({ workers: 3, threads: 5 });
    expect(await decide(3, null)).toEqual({ workers: 3, threads: 2 });
    expect(await decide(null, 4)).toEqual({ workers: 2, threads: 4 });
  });

  it('gives a GPU to one worker', async () => {
    expect(await decideLayout(testSettings(unset), 'cuda', 8)).toEqual({ workers: 1, threads: 4 });
    expect(await decideLayout(testSettings({ ...unset, workers: 2 }), 'cuda', 2)).toEqual({ workers: 2, threads: 2 });
  });

  it('measures the layouts of this machine once and keeps what it found', async () => {
    const measurementsFile = join(folder, 'machine.json');
    const settings = testSettings({ ...unset, measurementsFile });
    const found = await decideLayout(settings, 'cpu', 2);
    expect([
      { workers: 1, threads: 2 },
      { workers: 2, threads: 1 },
    ]).toContainEqual(found);
    const kept = JSON.parse(readFileSync(measurementsFile, 'utf8'));
    const rates: number[] = kept.layout.value.measured.map((one: { runsPerSecond: number }) => one.runsPerSecond);
    expect(rates).toHaveLength(2);
    expect(Math.min(...rates)).toBeGreaterThan(0);

    kept.layout.value = { workers: 7, threads: 7 };
    writeFileSync(measurementsFile, JSON.stringify(kept));
    expect(await decideLayout(settings, 'cpu', 2)).toEqual({ workers: 7, threads: 7 });
    expect(await decideLayout(settings, 'cpu', 1)).toEqual({ workers: 1, threads: 1 });
  });
});
