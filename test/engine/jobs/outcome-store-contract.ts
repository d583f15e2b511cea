import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BackendRecord, OutcomeStore } from '#src/engine/jobs/outcome-store.js';

const day = 24 * 60 * 60 * 1000;

/** What every OutcomeStore does, on a clock that the suite moves. `open` gives an empty store and a way to close it. */
export function outcomeStoreContract(
  open: (clock: () => number) => Promise<{ outcomes: OutcomeStore; close(): Promise<void> }>,
): void {
  let time: number;
  let store: OutcomeStore;
  let close: () => Promise<void>;

  beforeEach(async () => {
    time = 1_800_000_000_000;
    ({ outcomes: store, close } = await open(() => time));
  });

  afterEach(() => close());

  async function record(backend: string, isSuccess: boolean, ms = 1_000, job = 'job'): Promise<void> {
    await store.record({ backend, job, isSuccess, ms });
  }

  async function recordOf(backend: string): Promise<BackendRecord | undefined> {
    return (await store.records()).find((each) => each.backend === backend);
  }

  describe('records', () => {
    it('counts the outcomes of each backend and averages the time of its successes', async () => {
      await record('a', true, 1_000);
      await record('a', true, 3_000);
      await record('a', false, 99_000);
      await record('b', false);
      expect(await recordOf('a')).toEqual({
        backend: 'a',
        outcomes: 3,
        successes: 2,
        meanMs: 2_000,
        ratings: 0,
        meanRating: null,
      });
      expect(await recordOf('b')).toMatchObject({ outcomes: 1, successes: 0, meanMs: null });
    });

    it('forgets what is older than 30 days, and all but the latest 200', async () => {
      await record('a', false);
      time += 31 * day;
      expect(await recordOf('a')).toBeUndefined();
      for (let count = 0; count < 201; count += 1) await record('a', count > 0);
      expect(await recordOf('a')).toMatchObject({ outcomes: 200, successes: 200 });
    });
  });

  describe('rate', () => {
    it('rates the last success for a job, and says when there is none', async () => {
      await record('a', false, 1_000, 'job-1');
      expect(await store.rate('job-1', 1)).toBe(false);
      await record('b', true, 1_000, 'job-1');
      expect(await store.rate('job-1', 0.5)).toBe(true);
      expect(await store.rate('job-1', 0.75)).toBe(true);
      expect(await recordOf('b')).toMatchObject({ ratings: 1, meanRating: 0.75 });
      expect(await recordOf('a')).toMatchObject({ ratings: 0, meanRating: null });
    });
  });
}
