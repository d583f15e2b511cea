import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { EngineStatus, Meter } from '../engine/api.js';

export interface Metrics {
  /** What the engine reports to. */
  meter: Meter;
  contentType: string;
  /** The exposition text, with the queue as `status` has it. */
  render(status: EngineStatus): Promise<string>;
}

const seconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];

/** Counters and timers in a registry of their own. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const gauges = createGauges(registry);
  return {
    meter: createMeter(registry),
    contentType: registry.contentType,
    render(status) {
      gauges(status);
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
