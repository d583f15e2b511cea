/**
 * What can go wrong with a backend, by what the router then does:
 * `invalid` nobody would take this; `unfit` this one does not, another may; `content` refused for what it shows; `capacity` not now; `budget` no money left;
 * `auth` the key or the account is not right; `transient` may go well at once; `unknown` nobody knows whether the
 * service has taken the job; `stuck` taken and not done in time.
 */
export const failureKinds = [
  'invalid',
  'unfit',
  'content',
  'capacity',
  'budget',
  'auth',
  'transient',
  'unknown',
  'stuck',
] as const;
export type FailureKind = (typeof failureKinds)[number];

export interface FailureDetails {
  /** How long the service asks to be left alone. */
  retryAfterMs?: number;
  /** The code that the service gave. */
  upstreamCode?: string;
  /** The request field that the service does not like. */
  param?: string;
  /** True if the service had taken the job before it failed. */
  isAccepted?: boolean;
  cause?: unknown;
}

/** A failure between a backend and the router, which catches it: callers see an EngineError instead. */
export class ProviderFailure extends Error {
  override readonly name = 'ProviderFailure';
  readonly kind: FailureKind;
  readonly details: Omit<FailureDetails, 'cause'>;

  /** `message` is safe to show: it holds no key and no address with one. */
  constructor(kind: FailureKind, message: string, { cause, ...details }: FailureDetails = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.kind = kind;
    this.details = details;
  }

  /** The same failure, known to have come after the service took the job. */
  afterAcceptance(): ProviderFailure {
    return new ProviderFailure(this.kind, this.message, { ...this.details, isAccepted: true, cause: this.cause });
  }
}
