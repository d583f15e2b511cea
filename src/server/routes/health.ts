import { readFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';
import type Router from '@koa/router';
import type { Engine } from '../../engine/api.js';
import type { HostFacts } from '../../engine/task.js';
import { errorBody, statusOf } from '../errors.js';
import type { RequestState } from '../request.js';
import type { Surface } from '../server.js';

const packageFile = new URL('../../../package.json', import.meta.url);
const { version } = JSON.parse(readFileSync(packageFile, 'utf8')) as { version: string };

/** `/health`: this process is alive and how it is. `/ready`: whether new work would succeed now, and if not why. */
export function addHealthRoutes(router: Router<RequestState>, { engine }: Surface): void {
  const measureLag = createLagMeter();
  router.get('/health', async (ctx) => {
    const host = await factsOfHost(engine);
    ctx.set('Cache-Control', 'no-store');
    ctx.body = {
      status: 'ok',
      version,
      uptime_seconds: Math.floor(process.uptime()),
      event_loop_lag_ms: measureLag(),
      /** Null while it starts. */
      host: host === null ? null : { pid: host.pid },
      device: host?.device ?? null,
      device_reason: host?.deviceReason ?? null,
      workers: host?.workers ?? null,
      threads: host?.threads ?? null,
    };
  });
  router.get('/ready', async (ctx) => {
    const { problems, warnings, draining } = await engine.status();
    const ready = problems.length === 0 && !draining;
    ctx.set('Cache-Control', 'no-store');
    ctx.status = ready ? 200 : statusOf('not_ready');
    ctx.body = { ready, problems, warnings, ...(ready ? {} : errorBody('not_ready', problems.join('. '))) };
  });
}

/** `/metrics` in the Prometheus text format; counts of jobs are not for everybody, so it stands behind the key. */
export function addMetricsRoute(router: Router<RequestState>, { engine, options }: Surface): void {
  router.get('/metrics', async (ctx) => {
    ctx.type = options.metrics.contentType;
    ctx.body = await options.metrics.render(await engine.status(), await engine.backends());
  });
}

/** What the host process says of itself; null if it is not up now. Cheaper than a status, which looks at the disk and the database. */
function factsOfHost(engine: Engine): Promise<HostFacts | null> {
  return Promise.race([engine.ready().catch(() => null), setImmediate(null)]);
}

const resolutionMs = 20;

/** How long the event loop kept a timer waiting, at most and for 99 of 100, since it was last asked. */
function createLagMeter(): () => { p99: number; max: number } {
  const histogram = monitorEventLoopDelay({ resolution: resolutionMs });
  histogram.enable();
  return () => {
    // Node records the whole distance between two ticks, the planned one included.
    const lag = (nanoseconds: number) => Math.max(0, Math.round((nanoseconds / 1e6 - resolutionMs) * 10) / 10);
    const measured = { p99: lag(histogram.percentile(99)), max: lag(histogram.max) };
    histogram.reset();
    return measured;
  };
}
