import type { ProviderFailure } from './failure.js';

/** What the router does about a failure. */
export type Decision = { do: 'again'; afterMs: number } | { do: 'next' } | { do: 'next unpaid' } | { do: 'stop' };

/** How long a service that says when it has room again is waited for rather than left. */
const patienceMs = 5_000;
const transientTries = 2;
const transientPauseMs = 1_000;

/**
 * The table of what each kind of failure leads to; `tries` counts this backend's attempts at the job so far. Another
 * account of the same service comes before another service.
 */
export function decide({ kind, details }: ProviderFailure, tries: number, hasOtherAccount = false): Decision {
  const { retryAfterMs, isAccepted } = details;
  const isOfAccount = kind === 'capacity' || kind === 'budget' || kind === 'auth';
  if (isOfAccount && hasOtherAccount && !isAccepted) return { do: 'again', afterMs: 0 };
  switch (kind) {
    case 'invalid':
    case 'content':
      return { do: 'stop' };
    case 'unknown':
      return { do: 'next unpaid' };
    case 'transient':
      if (isAccepted || tries >= transientTries) return { do: 'next' };
      return { do: 'again', afterMs: retryAfterMs ?? transientPauseMs };
    case 'capacity':
      if (isAccepted || tries >= transientTries || retryAfterMs === undefined) return { do: 'next' };
      return retryAfterMs <= patienceMs ? { do: 'again', afterMs: retryAfterMs } : { do: 'next' };
    case 'unfit':
    case 'budget':
    case 'auth':
    case 'stuck':
      return { do: 'next' };
  }
}
