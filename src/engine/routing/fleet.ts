import type { Backend } from './backend.js';
import type { HealthBook, BackendHealth } from './health.js';
import type { OutcomeStore } from '../jobs/outcome-store.js';
import type { Standings } from './router.js';
import { scoreOf } from './scores.js';

/** One backend as the operator sees it. */
export interface BackendStatus {
  backend: Backend;
  health: BackendHealth;
  /** 0..100; null while too little is known. */
  score: number | null;
  latencyMs: number | null;
  /** Of the last 30 days, the latest 200 at most. */
  outcomes: number;
  successes: number;
}

export interface FleetParts {
  backends: readonly Backend[];
  health: HealthBook;
  outcomes: Pick<OutcomeStore, 'records'>;
  /** Names of the accounts of a service; none for this machine. */
  credentialsOf(provider: string): readonly string[];
}

/** All backends there are, and how they stand. */
export interface Fleet {
  backends: readonly Backend[];
  /** Those that do this operation, in the order of the settings. */
  of(operation: string): Backend[];
  standings(): Promise<Standings>;
  /** Whether the backend has an account that needs no rest; false for one that needs no account. */
  hasRestedAccount(backend: Backend): boolean;
  statuses(): Promise<BackendStatus[]>;
}

/** The backends with what is known of them, now and from the database. */
export function openFleet({ backends, health, outcomes, credentialsOf }: FleetParts): Fleet {
  async function statuses(): Promise<BackendStatus[]> {
    const records = new Map((await outcomes.records()).map((record) => [record.backend, record]));
    return backends.map((backend) => {
      const record = records.get(backend.id);
      return {
        backend,
        health: health.of(backend.id, backend.provider, credentialsOf(backend.provider)),
        score: record ? scoreOf(record) : null,
        latencyMs: record?.meanMs ?? null,
        outcomes: record?.outcomes ?? 0,
        successes: record?.successes ?? 0,
      };
    });
  }
  return {
    backends,
    of: (operation) => backends.filter((backend) => backend.operation === operation),
    statuses,
    hasRestedAccount({ id, provider }) {
      return health.of(id, provider, credentialsOf(provider)).credentials.some(({ rest }) => rest === null);
    },
    async standings() {
      const known = await statuses();
      return Object.fromEntries(
        known.map(({ backend, health: { rest }, score, latencyMs }) => [backend.id, { rest, score, latencyMs }]),
      );
    },
  };
}
