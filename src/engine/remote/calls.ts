import type { FailureKind } from '../routing/failure.js';
import type { Ticket } from '../providers/provider.js';

/**
 * One submission to a service, noted before a byte of it is sent. `sent`: nobody knows yet whether the service has it;
 * `accepted`: it has; `done`, `failed`, `cancelled`: how that ended; `refused`: the service did not take it; `absent`:
 * proven not to have arrived; `unknown`: given up on without ever knowing.
 */
export type CallState = 'sent' | 'accepted' | 'done' | 'failed' | 'cancelled' | 'refused' | 'absent' | 'unknown';

export interface RemoteCall {
  /** Our own name of it, unique for ever. */
  externalId: string;
  /** Id of the backend. */
  backend: string;
  provider: string;
  /** Name of the account; never its key. */
  credential: string;
  baseUrl: string;
  path: string;
  /** The unguessable part of the address at which the service may call back; null if it was not told one. */
  callbackToken: string | null;
  state: CallState;
  ticket: Ticket | null;
  /** What of the order could not be said to the service. */
  warnings: string[];
  failure: { kind: FailureKind; message: string } | null;
  sentAt: number;
  endedAt: number | null;
}

/** The submissions of one job, in its row: every change is on disk when its promise resolves. */
export interface CallLedger {
  calls(): readonly RemoteCall[];
  /** Errors: `interrupted` if the job is no longer this attempt's. */
  open(call: RemoteCall): Promise<void>;
  /** Errors: `interrupted`, as above. */
  change(externalId: string, changes: Partial<RemoteCall>): Promise<void>;
}

/** Whether the service may have the job, or has it, and its end is not known. */
export function isOpen({ state }: RemoteCall): boolean {
  return state === 'sent' || state === 'accepted';
}

/** Whether somebody may have to pay for a job that nobody will see the result of. */
export function isLost({ state }: RemoteCall): boolean {
  return state === 'unknown';
}
