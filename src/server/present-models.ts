import type { BackendStatus, ListedModel } from '../engine/api.js';
import { isAvailable } from './present-providers.js';

/** Models of this machine and of services in the list shape of OpenAI: both have the same keys. */
export function presentModels(local: readonly ListedModel[], backends: readonly BackendStatus[]) {
  const remote = backends.filter(({ backend }) => backend.provider !== 'local');
  return [...local.map(presentLocal), ...remote.map(presentRemote)];
}

/** Clients expect a number; when weights were made is not known. */
const common = { object: 'model', created: 0 } as const;

function presentLocal({ speed, ...model }: ListedModel) {
  return {
    ...common,
    id: model.id,
    owned_by: model.family,
    task: model.task,
    /** Whether it runs on this machine or at a service. */
    runs: 'local',
    tier: model.tier,
    licence: model.licence,
    licence_url: model.licenceUrl,
    commercial_use: model.commercialUse,
    bytes: model.bytes,
    installed: model.installed,
    available: model.problem === null,
    problem: model.problem,
    device: model.device,
    /** Measured on this machine. */
    speed: speed && {
      device: speed.device,
      jobs: speed.jobs,
      infer_ms: Math.round(speed.inferMs),
      megapixels_per_second: speed.megapixelsPerSecond && Number(speed.megapixelsPerSecond.toPrecision(3)),
    },
    latency_ms: null,
    credits: 0,
  };
}

function presentRemote(status: BackendStatus) {
  const { backend, health, latencyMs } = status;
  return {
    ...common,
    id: backend.id,
    owned_by: backend.provider,
    task: backend.operation,
    runs: 'remote',
    tier: 'remote',
    licence: null,
    licence_url: null,
    commercial_use: null,
    bytes: null,
    installed: false,
    available: isAvailable(status),
    problem: backend.problem ?? health.rest?.reason ?? null,
    device: null,
    speed: null,
    /** Mean of whole jobs, as long as they were watched. */
    latency_ms: latencyMs === null ? null : Math.round(latencyMs),
    credits: backend.price,
  };
}
