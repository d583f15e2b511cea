import { fateOf } from '#src/engine/webhooks/fate.js';
import { describe, expect, it } from 'vitest';

const at = 1_800_000_000_000;
const schedule = [0, 5, 30];
const answered = (status: number | null) => ({ at, ms: 1, status, error: null });

describe('fateOf', () => {
  it.each([200, 201, 202, 204, 299])('takes %i for a delivery', (status) => {
    expect(fateOf(answered(status), { tries: 0, schedule, now: at })).toEqual({ state: 'delivered' });
  });

  it.each([404, 409, 410])('takes %i for a receiver that is gone', (status) => {
    expect(fateOf(answered(status), { tries: 0, schedule, now: at })).toEqual({ state: 'gone' });
  });

  it.each([null, 100, 301, 302, 307, 400, 401, 403, 408, 429, 500, 503])('tries again after %s', (status) => {
    expect(fateOf(answered(status), { tries: 0, schedule, now: at })).toEqual({ state: 'pending', dueAt: at + 5000 });
  });

  it('keeps to 0, 5 and 30 seconds, and gives up then', () => {
    expect(fateOf(answered(500), { tries: 1, schedule, now: at })).toEqual({ state: 'pending', dueAt: at + 25_000 });
    expect(fateOf(answered(500), { tries: 2, schedule, now: at })).toEqual({ state: 'exhausted' });
    expect(fateOf(answered(500), { tries: 9, schedule, now: at })).toEqual({ state: 'exhausted' });
    expect(fateOf(answered(500), { tries: 0, schedule: [0], now: at })).toEqual({ state: 'exhausted' });
  });

  it('is never due before the attempt has ended', () => {
    expect(fateOf(answered(null), { tries: 0, schedule, now: at + 9000 })).toEqual({
      state: 'pending',
      dueAt: at + 9000,
    });
  });
});
