export const deliveryStates = ['pending', 'delivered', 'gone', 'exhausted'] as const;
/**
 * `pending`: an attempt is to come; `delivered`: the receiver said 2xx; `gone`: it said that nobody waits there any
 * more; `exhausted`: every attempt failed.
 */
export type DeliveryState = (typeof deliveryStates)[number];

/** One try to reach the receiver. */
export interface DeliveryAttempt {
  at: number;
  ms: number;
  /** Of the answer; null if none came. */
  status: number | null;
  /** Why it is no delivery, in words. */
  error: string | null;
}

/** One event that is owed to one receiver. Times are milliseconds since the epoch. */
export interface Delivery {
  /** One for each subject and status. */
  id: string;
  kind: 'job' | 'batch';
  /** Id of the job or batch that ended. */
  subject: string;
  owner: string;
  operation: string;
  /** How it ended; a cancelled job is a failed one. */
  status: 'completed' | 'failed';
  url: string;
  state: DeliveryState;
  attempts: DeliveryAttempt[];
  /** Attempts since it was last ordered. */
  tries: number;
  /** When the next attempt is to be made; null when there is none. */
  dueAt: number | null;
  createdAt: number;
  endedAt: number | null;
}

/** What follows from an attempt. */
export type DeliveryFate = { state: 'pending'; dueAt: number } | { state: Exclude<DeliveryState, 'pending'> };

export interface DeliveryQuery {
  owner: string;
  limit: number;
  /** Only those older than this delivery. */
  after?: string;
  state?: DeliveryState;
  /** Only those of this job or batch. */
  subject?: string;
}

/** The outbox: deliveries are stored by whatever ends a job (see JobStore) and taken from here. Every method settles after its change is on disk. */
export interface DeliveryStore {
  /**
   * Takes due deliveries for as long as the lease lasts, at most `limit`, and of each host (with its port) so many that
   * at most `perHost` are taken at the same time; the host that waits longest comes first.
   */
  claim(options: { limit: number; perHost: number; leaseMs: number }): Promise<Delivery[]>;
  /** Notes an attempt at a taken delivery and gives it back with its fate. */
  settle(id: string, attempt: DeliveryAttempt, fate: DeliveryFate): Promise<void>;
  /** At start: gives back what a dead server had taken; returns how many. */
  recover(): Promise<number>;
  /** When the next delivery that is not due yet becomes due; null if none will. */
  nextDueAt(): Promise<number | null>;
  get(id: string): Promise<Delivery | null>;
  /** Newest first. */
  list(query: DeliveryQuery): Promise<Delivery[]>;
  /** Makes it due now, with all its tries; its log stays. Null if unknown. */
  redeliver(id: string): Promise<Delivery | null>;
  /** `listener` is called whenever something has become due. */
  onDue(listener: () => void): void;
}
