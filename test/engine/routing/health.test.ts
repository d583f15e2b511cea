import { beforeEach, describe, expect, it } from 'vitest';
import { type FailureDetails, type FailureKind, ProviderFailure } from '#src/engine/routing/failure.js';
import { HealthBook } from '#src/engine/routing/health.js';

const minute = 60_000;
const backend = 'kling/kling-v3-t2v';
const accounts = [
  { name: 'first', key: 'a' },
  { name: 'second', key: 'b' },
];

describe('a HealthBook', () => {
  let time: number;
  let book: HealthBook;

  beforeEach(() => {
    time = 1_800_000_000_000;
    book = new HealthBook({ now: () => time, failuresToOpen: 3, openMs: minute });
  });

  function fail(
    kind: FailureKind,
    { credential = 'first', ...details }: FailureDetails & { credential?: string } = {},
  ): void {
    book.note(backend, new ProviderFailure(kind, `it is ${kind}`, details), { provider: 'kling', credential });
  }

  function choose(of = backend): string {
    return book.chooseCredential(of, 'kling', accounts).name;
  }

  const stateOf = (of = backend) => book.of(of, 'kling', ['first', 'second']);

  describe('accounts', () => {
    it('take turns', () => {
      expect([choose(), choose(), choose()]).toEqual(['first', 'second', 'first']);
    });

    it('rest for lack of room as long as the service asks, for this model alone', () => {
      fail('capacity', { retryAfterMs: 2 * minute });
      expect([choose(), choose()]).toEqual(['second', 'second']);
      expect(choose('kling/kling-o3-pro-t2v')).toBe('first');
      time += 2 * minute;
      expect([choose(), choose()]).toContain('first');
    });

    it.each([
      ['capacity', 15_000],
      ['budget', 60 * minute],
    ] as const)('rest on %s for a time of its own', (kind, ms) => {
      fail(kind);
      time += ms - 1;
      expect(stateOf().credentials[0]?.rest).toMatchObject({ reason: `it is ${kind}` });
      time += 1;
      expect(stateOf().credentials[0]?.rest).toBeNull();
    });

    it('with a key that is not good rest until the settings change', () => {
      fail('auth');
      time += 365 * 24 * 60 * minute;
      expect(stateOf().credentials).toMatchObject([{ rest: { until: null } }, { rest: null }]);
      expect(choose('kling/kling-o3-pro-t2v')).toBe('second');
    });

    it('rest for one model only when that is what is not open to them', () => {
      fail('auth', { upstreamCode: 'ModelNotOpen' });
      expect(choose('kling/kling-o3-pro-t2v')).toBe('first');
      expect([choose(), choose()]).toEqual(['second', 'second']);
    });

    it('that all rest leave the backend alone, until the first is back', () => {
      fail('budget');
      fail('capacity', { credential: 'second' });
      expect(stateOf().rest).toEqual({ until: time + 15_000, reason: 'it is capacity' });
      expect(() => choose()).toThrow(/every account of kling rests/i);
      time += 15_000;
      expect(stateOf().rest).toBeNull();
      expect(choose()).toBe('second');
    });
  });

  describe('the breaker', () => {
    it.each(['transient', 'unknown', 'stuck'] as const)('opens after some failures in a row that are %s', (kind) => {
      fail(kind);
      fail(kind);
      expect(book.admit(backend)).toBe(true);
      fail(kind);
      expect(book.admit(backend)).toBe(false);
      expect(stateOf()).toMatchObject({ breaker: 'open', rest: { until: time + minute, reason: `it is ${kind}` } });
    });

    it.each(['capacity', 'content', 'invalid', 'unfit', 'budget'] as const)(
      'stays closed when it is %s: that is no outage',
      (kind) => {
        for (let times = 0; times < 5; times += 1) fail(kind);
        expect(stateOf().breaker).toBe('closed');
      },
    );

    it('counts anew after a success', () => {
      fail('transient');
      fail('transient');
      book.note(backend, null);
      fail('transient');
      expect(stateOf().breaker).toBe('closed');
    });

    it('lets one job through after its time, and closes when that goes well', () => {
      for (let times = 0; times < 3; times += 1) fail('transient');
      time += minute;
      expect(stateOf().breaker).toBe('half-open');
      expect([book.admit(backend), book.admit(backend)]).toEqual([true, false]);
      book.note(backend, null);
      expect(stateOf().breaker).toBe('closed');
      expect(book.admit(backend)).toBe(true);
    });

    it('opens for twice as long when the one job fails, ten minutes at most', () => {
      for (let times = 0; times < 3; times += 1) fail('transient');
      for (const wait of [1, 2, 4, 8, 10, 10]) {
        expect(stateOf().rest?.until).toBe(time + wait * minute);
        time += wait * minute;
        expect(book.admit(backend)).toBe(true);
        fail('transient');
      }
    });

    it('lets another through when the one job ended for reasons of ours', () => {
      for (let times = 0; times < 3; times += 1) fail('transient');
      time += minute;
      book.admit(backend);
      book.forget(backend);
      expect(book.admit(backend)).toBe(true);
    });
  });
});
