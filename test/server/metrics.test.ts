import { describe, expect, it } from 'vitest';
import type { EngineStatus } from '#src/engine/api.js';
import { createMetrics } from '#src/server/metrics.js';

const status: EngineStatus = {
  host: null,
  problems: [],
  warnings: [],
  draining: false,
  queue: {
    states: { queued: 3, running: 1, completed: 7, failed: 0, cancelled: 0 },
    queued: { device: 2, cpu: 1, media: 0, remote: 0 },
    oldestAgeMs: 2500,
  },
};

describe('metrics', () => {
  it('count and time what the engine reports', async () => {
    const { meter, render } = createMetrics();
    meter.jobEnded('background-removal', 'completed', 40, 2_000);
    meter.jobEnded('background-removal', 'failed', 40, 2_000);
    meter.stage('infer', 300);
    meter.leaseLost();
    meter.hostRestarted();
    meter.webhookAttempt('delivered');
    const text = await render(status);
    for (const line of [
      'jobs_total{type="background-removal",status="completed"} 1',
      'jobs_total{type="background-removal",status="failed"} 1',
      'job_wait_seconds_bucket{le="0.05",type="background-removal"} 2',
      'job_run_seconds_sum{type="background-removal"} 4',
      'stage_seconds_sum{stage="infer"} 0.3',
      'lease_lost_total 1',
      'host_restarts_total 1',
      'webhook_attempts_total{outcome="delivered"} 1',
      'job_queue_depth{lane="device"} 2',
      'jobs{status="completed"} 7',
      'job_oldest_age_seconds 2.5',
    ]) {
      expect(text).toContain(line);
    }
    expect(text).toMatch(/^nodejs_eventloop_lag_seconds /m);
    expect(text).not.toContain('device_info{');
  });

  it('belong to one server each', async () => {
    const [one, other] = [createMetrics(), createMetrics()];
    one.meter.leaseLost();
    expect(await other.render(status)).toContain('lease_lost_total 0');
  });
});
