import type { BackendStatus } from '../engine/api.js';
import { timestamp } from './present.js';

/** The services and this machine, each with its models and accounts; keys are nowhere in it. */
export function presentProviders(statuses: readonly BackendStatus[]) {
  const names = [...new Set(statuses.map(({ backend }) => backend.provider))];
  return names.map((name) => {
    const own = statuses.filter(({ backend }) => backend.provider === name);
    return {
      id: name,
      object: 'provider',
      available: own.some(isAvailable),
      credentials: accountsOf(own),
      models: own.map(presentBackend),
    };
  });
}

/** Whether a job could be given to the backend now. */
export function isAvailable({ backend, health }: BackendStatus): boolean {
  return backend.problem === null && health.rest === null;
}

/** An account rests as a whole only if it rests for every model. */
function accountsOf(statuses: readonly BackendStatus[]) {
  const accounts = statuses[0]?.health.credentials ?? [];
  return accounts.map(({ name }) => {
    const rests = statuses.map(
      ({ health }) => health.credentials.find((account) => account.name === name)?.rest ?? null,
    );
    return { name, ...presentRest(rests.every((rest) => rest !== null) ? (rests[0] ?? null) : null) };
  });
}

function presentBackend(status: BackendStatus) {
  const { backend, health, score, latencyMs, outcomes, successes } = status;
  return {
    id: backend.model,
    operation: backend.operation,
    names: backend.names,
    capabilities: backend.capabilities,
    credits: backend.price,
    /** What is this program's default; `DARKROOM_PROVIDERS` overrides it. */
    defaults: backend.defaults.map((what) => (what === 'price' ? 'credits' : what)),
    available: isAvailable(status),
    problem: backend.problem,
    breaker: health.breaker,
    ...presentRest(health.rest),
    /** 0..100. */
    score: score === null ? null : Math.round(score * 10) / 10,
    latency_ms: latencyMs === null ? null : Math.round(latencyMs),
    outcomes,
    successes,
  };
}

/** `resting_until` null with a reason: until the settings change. */
function presentRest(rest: BackendStatus['health']['rest']) {
  return {
    resting: rest !== null,
    resting_until: rest?.until ? timestamp(rest.until) : null,
    resting_reason: rest?.reason ?? null,
  };
}
