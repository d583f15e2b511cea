import { ProviderFailure } from './failure.js';
import type { Credential } from '../providers/provider.js';

/** Whether and why a backend or an account is left alone for a while. */
export interface Rest {
  /** Milliseconds since the epoch; null: until the settings change, which takes a restart. */
  until: number | null;
  reason: string;
}

export interface CredentialHealth {
  name: string;
  rest: Rest | null;
}

export interface BackendHealth {
  /** `open`: failed too often and is left alone; `half-open`: one job may try whether it works again. */
  breaker: 'closed' | 'open' | 'half-open';
  /** Null if it can be used now. */
  rest: Rest | null;
  credentials: CredentialHealth[];
}

export interface HealthOptions {
  now?: () => number;
  /** Failures in a row after which a backend is left alone. */
  failuresToOpen?: number;
  /** How long at first; doubled each time that the probe fails, up to ten minutes. */
  openMs?: number;
}

interface Breaker {
  failures: number;
  openUntil: number | null;
  openMs: number;
  isProbing: boolean;
  reason: string;
}

/** How long an account rests where the service does not say. */
const capacityMs = 15_000;
const budgetMs = 3_600_000;
const longestOpenMs = 600_000;

/**
 * What is known of the backends from how they have answered: accounts that are to rest (nothing left to spend, a key
 * that is not good, no room just now) and a breaker for each backend. In memory: a restart tries everything anew.
 */
export class HealthBook {
  readonly #now: () => number;
  readonly #failuresToOpen: number;
  readonly #openMs: number;
  readonly #breakers = new Map<string, Breaker>();
  /** By account, and for lack of room by account and backend. */
  readonly #rests = new Map<string, Rest>();
  readonly #usedAt = new Map<string, number>();
  #uses = 0;

  constructor({ now = Date.now, failuresToOpen = 5, openMs = 30_000 }: HealthOptions = {}) {
    this.#now = now;
    this.#failuresToOpen = failuresToOpen;
    this.#openMs = openMs;
  }

  /** How the backend stands now; `credentials` are the names of its accounts, none for what needs none. */
  of(backend: string, provider: string, credentials: readonly string[]): BackendHealth {
    const accounts = credentials.map((name) => ({ name, rest: this.#restOf(backend, provider, name) }));
    const breaker = this.#stateOf(backend);
    const opened = this.#breakers.get(backend);
    if (breaker === 'open' && opened) {
      return { breaker, rest: { until: opened.openUntil, reason: opened.reason }, credentials: accounts };
    }
    const isResting = accounts.length > 0 && accounts.every(({ rest }) => rest !== null);
    return { breaker, rest: isResting ? earliest(accounts) : null, credentials: accounts };
  }

  /** Whether a job may be given to the backend now. A half-open one takes one at a time: settle it with `note`. */
  admit(backend: string): boolean {
    const state = this.#stateOf(backend);
    if (state === 'open') return false;
    const breaker = this.#breakers.get(backend);
    if (state === 'closed' || !breaker) return true;
    if (breaker.isProbing) return false;
    breaker.isProbing = true;
    return true;
  }

  /** The account to use: of those that need no rest the one that was used longest ago. Errors: ProviderFailure `capacity`. */
  chooseCredential(backend: string, provider: string, credentials: readonly Credential[]): Credential {
    const fit = credentials.filter(({ name }) => this.#restOf(backend, provider, name) === null);
    const lastUse = ({ name }: Credential) => this.#usedAt.get(`${provider}/${name}`) ?? 0;
    const [chosen] = fit.toSorted((a, b) => lastUse(a) - lastUse(b));
    if (!chosen) throw new ProviderFailure('capacity', `Every account of ${provider} rests`);
    this.#uses += 1;
    this.#usedAt.set(`${provider}/${chosen.name}`, this.#uses);
    return chosen;
  }

  /** Takes down how an attempt went; `failure` null for success. `credential` is the account that was used, if any. */
  note(backend: string, failure: ProviderFailure | null, account?: { provider: string; credential: string }): void {
    if (failure && account) this.#rest(backend, failure, account);
    const isOutage = failure !== null && ['transient', 'unknown', 'stuck'].includes(failure.kind);
    if (isOutage) this.#countFailure(backend, failure);
    else if (failure === null) this.#breakers.delete(backend);
    else this.#endProbe(backend);
  }

  /** An attempt ended for reasons of our own and says nothing about the backend. */
  forget(backend: string): void {
    this.#endProbe(backend);
  }

  #rest(
    backend: string,
    failure: ProviderFailure,
    { provider, credential }: { provider: string; credential: string },
  ): void {
    const { kind, message, details } = failure;
    const now = this.#now();
    const account = `${provider}/${credential}`;
    const wait = details.retryAfterMs;
    if (kind === 'capacity')
      this.#rests.set(`${account} ${backend}`, { until: now + (wait ?? capacityMs), reason: message });
    if (kind === 'budget') this.#rests.set(account, { until: now + Math.max(wait ?? 0, budgetMs), reason: message });
    // A model that is not open to the account is no reason against its other models.
    if (kind === 'auth')
      this.#rests.set(isOfModel(failure) ? `${account} ${backend}` : account, { until: null, reason: message });
  }

  #restOf(backend: string, provider: string, credential: string): Rest | null {
    const account = `${provider}/${credential}`;
    for (const key of [account, `${account} ${backend}`]) {
      const rest = this.#rests.get(key);
      if (rest && (rest.until === null || rest.until > this.#now())) return rest;
      this.#rests.delete(key);
    }
    return null;
  }

  #stateOf(backend: string): BackendHealth['breaker'] {
    const breaker = this.#breakers.get(backend);
    if (!breaker || breaker.openUntil === null) return 'closed';
    return breaker.openUntil > this.#now() ? 'open' : 'half-open';
  }

  #countFailure(backend: string, { message }: ProviderFailure): void {
    const fresh: Breaker = { failures: 0, openUntil: null, openMs: this.#openMs, isProbing: false, reason: '' };
    const breaker = this.#breakers.get(backend) ?? fresh;
    this.#breakers.set(backend, breaker);
    breaker.failures += 1;
    breaker.reason = message;
    const wasOpen = breaker.openUntil !== null;
    if (wasOpen) breaker.openMs = Math.min(longestOpenMs, breaker.openMs * 2);
    if (wasOpen || breaker.failures >= this.#failuresToOpen) breaker.openUntil = this.#now() + breaker.openMs;
    breaker.isProbing = false;
  }

  #endProbe(backend: string): void {
    const breaker = this.#breakers.get(backend);
    if (breaker) breaker.isProbing = false;
  }
}

function isOfModel({ details }: ProviderFailure): boolean {
  return /404|405|NotOpen|NOT_FOUND|model_not_found/.test(details.upstreamCode ?? '');
}

/** The rest that ends first. */
function earliest(accounts: CredentialHealth[]): Rest | null {
  const rests = accounts.flatMap(({ rest }) => (rest ? [rest] : []));
  return rests.toSorted((a, b) => (a.until ?? Infinity) - (b.until ?? Infinity))[0] ?? null;
}
