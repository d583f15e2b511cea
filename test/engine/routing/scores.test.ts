import { describe, expect, it } from 'vitest';
import { scoreOf } from '#src/engine/routing/scores.js';

const record = { backend: 'a', outcomes: 100, successes: 100, meanMs: 60_000, ratings: 0, meanRating: null };

describe('scoreOf', () => {
  it('says nothing of a handful of outcomes', () => {
    expect(scoreOf({ ...record, outcomes: 4, successes: 4 })).toBeNull();
    expect(scoreOf({ ...record, outcomes: 5, successes: 5 })).not.toBeNull();
  });

  it('rises with success, with praise and with speed', () => {
    const score = scoreOf(record) as number;
    expect(scoreOf({ ...record, successes: 90 })).toBeLessThan(score);
    expect(scoreOf({ ...record, ratings: 50, meanRating: 1 })).toBeGreaterThan(score);
    expect(scoreOf({ ...record, ratings: 50, meanRating: 0 })).toBeLessThan(score);
    expect(scoreOf({ ...record, meanMs: 200_000 })).toBeLessThan(score);
  });

  it('stays between 0 and 100, and trusts few outcomes less than many', () => {
    expect(
      scoreOf({ ...record, outcomes: 100_000, successes: 100_000, meanMs: 0, ratings: 100_000, meanRating: 1 }),
    ).toBeCloseTo(100, 1);
    expect(scoreOf({ ...record, successes: 0, meanMs: null })).toBeGreaterThanOrEqual(0);
    expect(scoreOf({ ...record, outcomes: 5, successes: 5 })).toBeLessThan(scoreOf(record) as number);
  });
});
