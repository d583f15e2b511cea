import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { BackendStatus, EngineStatus, Meter } from '../engine/api.js';
import { isAvailable } from './present-providers.js';

export interface Metrics {
  /** What the engine reports to. */
  meter: Meter;
  contentType: string;
  /** The exposition text, with the queue as `status` has it. */
  render(status: EngineStatus, backends?: readonly BackendStatus[]): Promise<string>;
}

const seconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];

/** Counters and timers in a registry of their own. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const gauges = createGauges(registry);
  const backendGauges = createBackendGauges(registry);
  return {
    meter: createMeter(registry),
    contentType: registry.contentType,
    render(status, backends = []) {
      gauges(status);
      backendGauges(backends);
      return registry.metrics();
    },
  };
}

function createMeter(registry: Registry): Meter {
  const registers = [registry];
  const histogram = (name: string, help: string, label: string) =>
    new Histogram({ name, help, labelNames: [label], buckets: seconds, registers });
  const counter = (name: string, help: string, labelNames: string[] = []) =>
    new Counter({ name, help, labelNames, registers });

  const ended = counter('jobs_total', 'Jobs that ended', ['type', 'status']);
  const wait = histogram('job_wait_seconds', 'From the moment a job was due to its last start', 'type');
  const run = histogram('job_run_seconds', 'Duration of the last attempt of a job', 'type');
  const stages = histogram('stage_seconds', 'Duration of one stage of an attempt', 'stage');
  const lost = counter('lease_lost_total', 'Attempts whose lease ran out before they ended');
  const restarts = counter('host_restarts_total', 'Starts of the host process after its first');
  const webhooks = counter('webhook_attempts_total', 'Attempts to deliver a webhook', ['outcome']);
  const attempts = counter('backend_attempts_total', 'Attempts of backends at jobs', ['provider', 'model', 'outcome']);
  const made = new Histogram({
    name: 'backend_seconds',
    help: 'How long a backend took for a job that it did',
    labelNames: ['provider', 'model'],
    buckets: seconds,
    registers,
  });
  return {
    jobEnded(type, status, waitMs, runMs) {
      ended.inc({ type, status });
      wait.observe({ type }, waitMs / 1000);
      run.observe({ type }, runMs / 1000);
    },
    stage: (stage, ms) => stages.observe({ stage }, ms / 1000),
    leaseLost: () => lost.inc(),
    hostRestarted: () => restarts.inc(),
    webhookAttempt: (outcome) => webhooks.inc({ outcome }),
    backendAttempt({ provider, model }, outcome, ms) {
      attempts.inc({ provider, model, outcome });
      if (outcome === 'done') made.observe({ provider, model }, ms / 1000);
    },
  };
}

/** Sets what is read rather than counted. */
function createGauges(registry: Registry): (status: EngineStatus) => void {
  const registers = [registry];
  const depth = new Gauge({ name: 'job_queue_depth', help: 'Jobs that wait', labelNames: ['lane'], registers });
  const states = new Gauge({ name: 'jobs', help: 'Stored jobs by state', labelNames: ['status'], registers });
  const oldest = new Gauge({ name: 'job_oldest_age_seconds', help: 'How long the oldest due job waits', registers });
  const device = new Gauge({ name: 'device_info', help: 'Where models run', labelNames: ['device'], registers });
  return ({ queue, host }) => {
    for (const [lane, count] of Object.entries(queue.queued)) depth.set({ lane }, count);
    for (const [status, count] of Object.entries(queue.states)) states.set({ status }, count);
    oldest.set(queue.oldestAgeMs / 1000);
    device.reset();
    if (host !== null) device.set({ device: host.device }, 1);
  };
}

const breakerStates = { closed: 0, 'half-open': 1, open: 2 } as const;

/** Sets what the router knows of its backends. */
function createBackendGauges(registry: Registry): (backends: readonly BackendStatus[]) => void {
  const gauge = (name: string, help: string) =>
    new Gauge({ name, help, labelNames: ['provider', 'model'], registers: [registry] });
  const available = gauge('backend_available', 'Whether a job could be given to the backend now');
  const breaker = gauge('backend_breaker', '0 closed, 1 half-open, 2 open');
  const score = gauge('backend_score', 'What its outcomes are worth, 0 to 100');
  return (backends) => {
    for (const status of backends) {
      const { provider, model } = status.backend;
      available.set({ provider, model }, isAvailable(status) ? 1 : 0);
      breaker.set({ provider, model }, breakerStates[status.health.breaker]);
      if (status.score !== null) score.set({ provider, model }, status.score);
    }
  };
}
