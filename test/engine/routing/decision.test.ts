import { describe, expect, it } from 'vitest';
import { decide } from '#src/engine/routing/decision.js';
import { type FailureDetails, type FailureKind, failureKinds, ProviderFailure } from '#src/engine/routing/failure.js';

describe('decide', () => {
  const again = (afterMs: number) => ({ do: 'again', afterMs });
  const cases: [FailureKind, FailureDetails, number, object][] = [
    ['invalid', {}, 1, { do: 'stop' }],
    ['unfit', {}, 1, { do: 'next' }],
    ['content', {}, 1, { do: 'stop' }],
    ['content', { isAccepted: true }, 1, { do: 'stop' }],
    ['capacity', {}, 1, { do: 'next' }],
    ['capacity', { retryAfterMs: 2_000 }, 1, again(2_000)],
    ['capacity', { retryAfterMs: 2_000 }, 2, { do: 'next' }],
    ['capacity', { retryAfterMs: 60_000 }, 1, { do: 'next' }],
    ['capacity', { isAccepted: true, retryAfterMs: 1 }, 1, { do: 'next' }],
    ['budget', {}, 1, { do: 'next' }],
    ['auth', {}, 1, { do: 'next' }],
    ['transient', {}, 1, again(1_000)],
    ['transient', { retryAfterMs: 3_000 }, 1, again(3_000)],
    ['transient', {}, 2, { do: 'next' }],
    ['transient', { isAccepted: true }, 1, { do: 'next' }],
    ['unknown', {}, 1, { do: 'next unpaid' }],
    ['unknown', { isAccepted: true }, 1, { do: 'next unpaid' }],
    ['stuck', { isAccepted: true }, 1, { do: 'next' }],
  ];

  it.each(cases)('%s %j at try %i: %j', (kind, details, tries, decision) => {
    expect(decide(new ProviderFailure(kind, 'x', details), tries)).toEqual(decision);
  });

  it('has an answer to every kind', () => {
    expect(new Set(cases.map(([kind]) => kind))).toEqual(new Set(failureKinds));
  });
});
