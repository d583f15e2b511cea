import { describe, expect, it, onTestFinished } from 'vitest';
import type { Engine } from '#src/engine/api.js';
import { readConfig } from '#src/engine/config.js';
import { createEngine } from '#src/engine/engine.js';
import { EngineError } from '#src/engine/errors.js';
import { hasEnded, type Job } from '#src/engine/jobs/job-store.js';
import type { TaskRunner } from '#src/engine/task.js';
import { noop } from '../../bench/noop.js';
import { inProcessRunner } from '../helpers/in-process-runner.js';
import { tempFolder } from '../helpers/temp-folder.js';
import { until } from '../helpers/until.js';

describe('the scheduler', () => {
  it('runs no more jobs at a time than there are idle slots, and all of them in the end', async () => {
    let most = 0;
    const runner = inProcessRunner(3, async () => {
      most = Math.max(most, runner.running.size);
      await new Promise((resolve) => setTimeout(resolve, 5));
    });
    const engine = await start(runner);
    const jobs = await Promise.all(Array.from({ length: 20 }, () => submit(engine)));
    for (const job of jobs) expect((await ended(engine, job.id)).state).toBe('completed');
    expect(most).toBe(3);
  });

  it('runs jobs in the order of submission', async () => {
    const { runner, order, open } = gatedRunner();
    const engine = await start(runner);
    const jobs = [await submit(engine), await submit(engine), await submit(engine)];
    open();
    for (const job of jobs) await ended(engine, job.id);
    expect(order).toEqual(jobs.map((job) => `${job.id}-1`));
  });

  it('runs what someone waits for before what was only queued', async () => {
    const { runner, order, open } = gatedRunner();
    const engine = await start(runner);
    const first = await submit(engine);
    await until(() => runner.running.size === 1, 'the first job runs');
    const queued = await submit(engine);
    const waited = await submit(engine, 1);
    open();
    for (const job of [first, queued, waited]) await ended(engine, job.id);
    expect(order).toEqual([first, waited, queued].map((job) => `${job.id}-1`));
  });

  it('tries again after a failure that can pass, and keeps each reason', async () => {
    let calls = 0;
    const runner = inProcessRunner(1, async () => {
      calls += 1;
      if (calls === 1) throw new EngineError('crashed', 'The host process died');
    });
    const engine = await start(runner);
    const job = await ended(engine, (await submit(engine)).id);
    expect(job).toMatchObject({ state: 'completed', attempt: 2 });
    expect(job.errors).toMatchObject([{ attempt: 1, code: 'crashed' }]);
  });

  it('fails at once what cannot end differently, with the reason', async () => {
    const runner = inProcessRunner(1, async () => {
      throw new EngineError('invalid_input', 'No', { param: 'image' });
    });
    const engine = await start(runner);
    const job = await ended(engine, (await submit(engine)).id);
    expect(job).toMatchObject({ state: 'failed', attempt: 1, error: { code: 'invalid_input', message: 'No' } });
  });

  it('shows a bug as an internal error and tries three times', async () => {
    const runner = inProcessRunner(1, async () => {
      throw new TypeError('secret path');
    });
    const engine = await start(runner);
    const job = await ended(engine, (await submit(engine)).id);
    expect(job).toMatchObject({ state: 'failed', attempt: 3, error: { code: 'internal', message: 'Internal error' } });
  });

  it('ends a waiting job at once when it is cancelled', async () => {
    const runner = inProcessRunner(0);
    const engine = await start(runner);
    const { id } = await submit(engine);
    expect((await engine.cancel(id)).state).toBe('cancelled');
    expect((await ended(engine, id)).state).toBe('cancelled');
  });

  it('stops a running job when it is cancelled', async () => {
    const runner = inProcessRunner(1, untilAborted);
    const engine = await start(runner);
    const { id } = await submit(engine);
    await until(() => runner.running.size === 1, 'the job runs');
    await engine.cancel(id);
    expect((await ended(engine, id)).state).toBe('cancelled');
  });

  it('fails a job that runs past its deadline', async () => {
    const engine = await start(inProcessRunner(1, untilAborted), { DARKROOM_JOB_SECONDS: '1' });
    const job = await ended(engine, (await submit(engine)).id);
    expect(job).toMatchObject({
      state: 'failed',
      error: { code: 'timeout', message: 'The job did not finish within 1 seconds' },
    });
  });

  it('gives a running job back when the engine stops, and runs it after the next start', async () => {
    const folder = await tempFolder();
    const first = await start(inProcessRunner(1, untilAborted), { DARKROOM_DATA: folder });
    const { id } = await submit(first);
    await until(async () => (await first.get(id)).state === 'running', 'the job runs');
    await first.close(0);
    const second = await start(inProcessRunner(1), { DARKROOM_DATA: folder });
    expect(await ended(second, id)).toMatchObject({ state: 'completed', attempt: 1 });
  });

  it('refuses one job more than the queue may hold', async () => {
    const engine = await start(inProcessRunner(0), { DARKROOM_MAX_QUEUE: '2' });
    await submit(engine);
    await submit(engine);
    await expect(submit(engine)).rejects.toMatchObject({ code: 'busy' });
  });
});

async function start(runner: TaskRunner, env: Record<string, string> = {}): Promise<Engine> {
  const config = readConfig({ DARKROOM_DATA: await tempFolder(), DARKROOM_MIN_FREE_MB: '0', ...env });
  const engine = await createEngine(config, { operations: [noop], runner });
  onTestFinished(() => engine.close(0));
  return engine;
}

async function submit(engine: Engine, priority = 0): Promise<Job> {
  return (await engine.submit({ operation: 'no-op', owner: 'test', params: {}, inputs: [], priority })).job;
}

async function ended(engine: Engine, id: string): Promise<Job> {
  for await (const job of engine.watch(id)) if (hasEnded(job)) return job;
  throw new Error(`${id} did not end`);
}

async function untilAborted(_: unknown, signal: AbortSignal): Promise<void> {
  await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
}

/** One slot, whose first task waits for `open`; `order` lists the tasks as they begin. */
function gatedRunner() {
  const order: string[] = [];
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const runner = inProcessRunner(1, async (task) => {
    order.push(task.id);
    await gate;
  });
  return { runner, order, open: () => open() };
}
