import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { EngineError } from '#src/engine/errors.js';
import type { HostSettings } from '#src/engine/host/host-settings.js';
import { type SuperviseOptions, superviseHost } from '#src/engine/host/supervisor.js';
import type { Progress, Task, TaskResult, TaskRunner } from '#src/engine/task.js';
import { testSettings, testTask } from '../../fixtures/host/settings.js';
import { isAlive, until } from '../../helpers/processes.js';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'darkroom-host-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A file that operations wait for. */
function gate(name: string): { file: string; open(): void } {
  const file = join(folder, name);
  return { file, open: () => writeFileSync(file, '') };
}

interface Host {
  runner: TaskRunner;
  restarts: string[];
}

function superviseWith(settings: Partial<HostSettings>, options: Partial<SuperviseOptions> = {}): Host {
  const restarts: string[] = [];
  const onRestart = (reason: string) => restarts.push(reason);
  return { runner: superviseHost({ settings: testSettings(settings), onRestart, endMs: 3000, ...options }), restarts };
}

/** A host for one test, which may do it harm. */
async function openHost(settings: Partial<HostSettings> = {}, options: Partial<SuperviseOptions> = {}): Promise<Host> {
  const host = superviseWith(settings, options);
  onTestFinished(() => host.runner.close());
  await host.runner.ready();
  return host;
}

/** A host for the tests of a suite, all of which must leave it as it was. */
function shareHost(): () => Host {
  let host: Host;
  let pid: number;
  beforeAll(async () => {
    host = superviseWith({});
    pid = (await host.runner.ready()).pid;
  });
  afterAll(async () => {
    expect([pidOf(host), host.restarts]).toEqual([pid, []]);
    await host.runner.close();
  });
  return () => host;
}

interface Started {
  result: Promise<TaskResult>;
  progress: Progress[];
  abort(reason?: unknown): void;
}

function start({ runner }: Host, task: Task): Started {
  const controller = new AbortController();
  const progress: Progress[] = [];
  const result = runner.run(task, { signal: controller.signal, onProgress: (note) => progress.push(note) });
  result.catch(() => {});
  return { result, progress, abort: (reason) => controller.abort(reason) };
}

async function run(host: Host, task: Task): Promise<Record<string, unknown>> {
  return (await start(host, task).result).facts;
}

/** Tasks that take both slots of a host with one worker until the gate is opened. */
function fill(host: Host, { file }: { file: string }): Started[] {
  return [1, 2].map(() => start(host, testTask('step-until', { params: { file } })));
}

/** Waits until the task is at work inside an operation. */
async function isAtWork(started: Started): Promise<void> {
  await until(() => isInside(started));
}

function isInside({ progress }: Started): boolean {
  return progress.some(({ stage }) => stage === 'infer');
}

function pidOf({ runner }: Host): number {
  return runner.facts()?.pid ?? 0;
}

describe('superviseHost', () => {
  const shared = shareHost();

  it('runs a task in another process and tells what came of it', async () => {
    const host = shared();
    const { outputs, warnings, facts, device } = await start(host, testTask('echo', { params: { a: 1 } })).result;
    expect({ outputs, warnings, device }).toEqual({ outputs: [], warnings: [], device: 'cpu' });
    expect(facts).toMatchObject({ params: { a: 1 }, input: 'x.png', pid: pidOf(host) });
    expect(facts.pid).not.toBe(process.pid);
  });

  it('says what it is and how many tasks it takes once it is ready, and none before', async () => {
    const { runner } = superviseWith({ workers: 3 });
    onTestFinished(() => runner.close());
    expect([runner.facts(), runner.idleSlots('device')]).toEqual([null, 0]);
    const facts = await runner.ready();
    expect(facts).toMatchObject({ device: 'cpu', deviceReason: 'DARKROOM_DEVICE=cpu', workers: 3, threads: 1 });
    expect(['device', 'cpu', 'media'] as const).toSatisfy((lanes) =>
      lanes.every((lane: 'device') => runner.idleSlots(lane) === facts.slots[lane]),
    );
    expect(runner.idleSlots('device')).toBe(4);
  });

  it('counts a slot as taken from the call on, and tells when one is free again', async () => {
    const host = shared();
    let isTold = false;
    await run(host, testTask('echo'));
    const results = [start(host, testTask('echo')).result, start(host, testTask('echo')).result];
    expect(host.runner.idleSlots('device')).toBe(0);
    host.runner.onIdle(() => {
      isTold = host.runner.idleSlots('device') === 2;
    });
    await Promise.all(results);
    expect(isTold).toBe(true);
  });

  it('tells progress of the whole attempt and the time of each stage', async () => {
    const host = shared();
    const { result, progress } = start(host, testTask('stages', { model: 'large:1' }));
    const { stageMs } = await result;
    expect(Object.keys(stageMs).sort()).toEqual(['compose', 'decode', 'encode', 'infer', 'load']);
    expect(progress.at(-1)).toMatchObject({ stage: 'decode', fraction: 0.1 });
  });

  it('gives back errors with their code, message, details and cause', async () => {
    const host = shared();
    const error: EngineError = await start(host, testTask('refuse')).result.catch((reason) => reason);
    expect(error).toBeInstanceOf(EngineError);
    expect(error).toMatchObject({
      code: 'too_large',
      message: 'Expected less',
      details: { param: 'image', retryAfterSeconds: 7 },
    });
    expect(error.cause).toContain('Error: why');
  });

  it('keeps what an unexpected error says for the operator', async () => {
    const host = shared();
    const error: EngineError = await start(host, testTask('fault')).result.catch((reason) => reason);
    expect(error).toMatchObject({ code: 'internal', message: 'Internal error' });
    expect(error.cause).toContain('a secret');
  });

  it('refuses what it does not know', async () => {
    const host = shared();
    await expect(run(host, testTask('dance'))).rejects.toMatchObject({ code: 'unsupported' });
    await expect(run(host, testTask('echo', { lane: 'remote' }))).rejects.toMatchObject({ code: 'unsupported' });
    await expect(run(host, testTask('echo', { model: 'broken' }))).rejects.toMatchObject({ code: 'model_unavailable' });
  });

  it('says what is wrong when the host cannot work with its settings, and does not try again', async () => {
    const { runner, restarts } = superviseWith({ requireGpu: true });
    await expect(runner.ready()).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringMatching(/DARKROOM_REQUIRE_GPU/),
    });
    await expect(runner.inspect('x', 'image')).rejects.toMatchObject({ code: 'unsupported' });
    await runner.close();
    expect(restarts).toEqual([]);
  });
});

describe('stopping a task', () => {
  const shared = shareHost();

  it('ends it between two steps when it is cancelled', async () => {
    const host = shared();
    const task = start(host, testTask('step-until', { params: { file: gate('never').file } }));
    await isAtWork(task);
    task.abort();
    await expect(task.result).rejects.toMatchObject({ code: 'cancelled' });
    expect(await run(host, testTask('echo'))).toMatchObject({ pid: pidOf(host) });
  });

  it('ends it as timed out when that is the reason of the signal', async () => {
    const host = shared();
    const task = start(host, testTask('step-until', { params: { file: gate('never').file } }));
    await isAtWork(task);
    task.abort(new DOMException('late', 'TimeoutError'));
    await expect(task.result).rejects.toMatchObject({ code: 'timeout' });
  });

  it('does not begin one whose signal is aborted already', async () => {
    const host = shared();
    const options = { signal: AbortSignal.abort(new EngineError('timeout', 'late')), onProgress: () => {} };
    await expect(host.runner.run(testTask('abort'), options)).rejects.toMatchObject({ code: 'timeout' });
  });

  it('ends a waiting task at once', async () => {
    const host = shared();
    const door = gate('door');
    const running = fill(host, door);
    await until(() => running.some(isInside));
    const waiting = start(host, testTask('echo'));
    waiting.abort();
    await expect(waiting.result).rejects.toMatchObject({ code: 'cancelled' });
    door.open();
    await Promise.all(running.map(({ result }) => result));
  });

  it('leaves the process alone when the task is inside the runtime', async () => {
    const host = shared();
    const pid = pidOf(host);
    for (let round = 0; round < 3; round += 1) {
      const task = start(host, testTask('infer-forever', { model: 'conv:128' }));
      await isAtWork(task);
      task.abort();
      await expect(task.result).rejects.toMatchObject({ code: 'cancelled' });
    }
    expect(await run(host, testTask('infer', { model: 'conv:128' }))).toMatchObject({ pid });
  });

  it('kills the host of a task that does not come back, after its other tasks have finished', async () => {
    const host = await openHost({ workers: 2 }, { killDelayMs: 50 });
    const [never, door] = [gate('never'), gate('door')];
    const stuck = start(host, testTask('block-until', { params: { file: never.file } }));
    const other = start(host, testTask('step-until', { params: { file: door.file } }));
    await Promise.all([isAtWork(stuck), isAtWork(other)]);
    const pid = pidOf(host);
    stuck.abort();
    await until(() => host.restarts.length === 1);
    expect(await run(host, testTask('echo'))).not.toMatchObject({ pid });
    door.open();
    expect((await other.result).facts).toEqual({ pid });
    await expect(stuck.result).rejects.toMatchObject({ code: 'cancelled' });
    await until(() => !isAlive(pid));
  });

  it('hands on what does not finish beside it in time, and what has not begun without anyone noticing', async () => {
    const host = await openHost({}, { killDelayMs: 50, finishMs: 100 });
    const never = gate('never');
    const stuck = start(host, testTask('block-until', { params: { file: never.file } }));
    const beside = start(host, testTask('step-until', { lane: 'cpu', params: { file: never.file } }));
    await Promise.all([isAtWork(stuck), isAtWork(beside)]);
    const door = gate('door');
    const loading = start(host, testTask('infer', { model: `slow:${door.file}` }));
    await until(() => loading.progress.length > 0);
    const waiting = start(host, testTask('infer', { model: `slow:${door.file}` }));
    const pid = pidOf(host);
    stuck.abort(new DOMException('late', 'TimeoutError'));
    await expect(stuck.result).rejects.toMatchObject({ code: 'timeout' });
    await expect(beside.result).rejects.toMatchObject({ code: 'busy', details: { retryAfterSeconds: 1 } });
    expect(isAlive(pid)).toBe(false);
    door.open();
    const { pid: newPid } = await host.runner.ready();
    for (const { result } of [loading, waiting]) expect((await result).facts.pid).toBe(newPid);
  });
});

describe('running models', () => {
  const shared = shareHost();

  /** A task that is in a stage until the gate is opened. */
  function stay(stage: string, door: { file: string }): Started {
    return start(shared(), testTask('stay-in', { params: { stage, file: door.file } }));
  }

  it('takes turns: no more tasks are inside the runtime than there are workers', async () => {
    const [first, second] = [gate('first'), gate('second')];
    const running = stay('infer', first);
    await isAtWork(running);
    const waiting = stay('infer', second);
    await until(() => shared().runner.idleSlots('device') === 0);
    await run(shared(), testTask('echo', { lane: 'cpu' }));
    expect(isInside(waiting)).toBe(false);
    first.open();
    await isAtWork(waiting);
    second.open();
    await Promise.all([running.result, waiting.result]);
  });

  it('goes on while another picture is encoded', async () => {
    const door = gate('door');
    const encoding = stay('encode', door);
    await until(() => encoding.progress.length > 0);
    await run(shared(), testTask('infer'));
    door.open();
    await encoding.result;
  });

  it('passes the turn on when a task fails or is cancelled in it', async () => {
    const never = gate('never');
    const [running, waiting] = [stay('infer', never), stay('infer', never)];
    await until(() => isInside(running) || isInside(waiting));
    const [inside, outside] = isInside(running) ? [running, waiting] : [waiting, running];
    outside.abort();
    await expect(outside.result).rejects.toMatchObject({ code: 'cancelled' });
    inside.abort();
    await expect(inside.result).rejects.toMatchObject({ code: 'cancelled' });
    await run(shared(), testTask('infer'));
  });
});

describe('a host that dies', () => {
  it.each([
    ['SIGKILL', 'interrupted'],
    ['SIGSEGV', 'crashed'],
  ] as const)('by %s fails what ran as %s and is started again', async (signal, code) => {
    const host = await openHost();
    const running = fill(host, gate('never'));
    await until(() => running.some(isInside) && host.runner.idleSlots('device') === 0);
    const waiting = start(host, testTask('echo'));
    const pid = pidOf(host);
    process.kill(pid, signal);
    for (const { result } of running) await expect(result).rejects.toMatchObject({ code });
    expect((await waiting.result).facts.pid).not.toBe(pid);
    expect(host.restarts).toEqual([expect.stringContaining(signal)]);
  });

  it('has no slots until the next one is ready', async () => {
    const host = await openHost();
    process.kill(pidOf(host), 'SIGKILL');
    await until(() => host.restarts.length === 1);
    expect([host.runner.idleSlots('device'), host.runner.facts()]).toEqual([0, null]);
    const { pid } = await host.runner.ready();
    expect([host.runner.idleSlots('device'), pidOf(host)]).toEqual([2, pid]);
  });

  it('by an abort inside of an operation takes only running tasks with it, again and again', async () => {
    const host = await openHost();
    for (let round = 1; round <= 2; round += 1) {
      await expect(run(host, testTask('abort'))).rejects.toMatchObject({ code: 'crashed' });
      await until(() => host.restarts.length === round);
    }
    await run(host, testTask('echo'));
  });

  it('does not notice the signals of a terminal: when to end is its parent’s decision', async () => {
    const host = await openHost();
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.kill(pidOf(host), signal);
    expect(await run(host, testTask('echo'))).toMatchObject({ pid: pidOf(host) });
    expect(host.restarts).toEqual([]);
  });

  it('is replaced when one of its threads dies, and only the task of that thread is lost', async () => {
    const host = await openHost({ workers: 2 });
    const door = gate('door');
    const other = start(host, testTask('step-until', { params: { file: door.file } }));
    await isAtWork(other);
    const pid = pidOf(host);
    const error: EngineError = await start(host, testTask('kill-thread')).result.catch((reason) => reason);
    expect(error).toMatchObject({ code: 'crashed', cause: expect.stringContaining('nobody listens') });
    await until(() => host.runner.facts() !== null && pidOf(host) !== pid);
    door.open();
    expect((await other.result).facts).toEqual({ pid });
    await until(() => !isAlive(pid));
  });
});

describe('a host that has grown old', () => {
  it('is replaced while tasks go on, and loses none', async () => {
    const host = await openHost({ workers: 2, maxRssMb: 1 });
    const pid = pidOf(host);
    const results: Promise<Record<string, unknown>>[] = [];
    const ranElsewhere = () => host.runner.facts() !== null && pidOf(host) !== pid;
    for (let more = 20; more > 0; more -= ranElsewhere() ? 1 : 0) {
      await until(() => host.runner.idleSlots('device') > 0);
      results.push(run(host, testTask('echo')));
    }
    const pids = new Set((await Promise.all(results)).map((facts) => facts.pid));
    expect(pids.size).toBeGreaterThan(1);
    expect(host.restarts[0]).toContain('MB between tasks');
    await until(() => !isAlive(pid));
  });

  it('is replaced after so many models were unloaded', async () => {
    const host = await openHost({ modelMemoryMb: 64 });
    const pid = pidOf(host);
    for (let count = 0; host.restarts.length === 0; count += 1) {
      expect(count).toBeLessThan(30);
      await run(host, testTask('echo', { model: `large:${count + 10}` }));
    }
    await until(() => host.runner.facts() !== null && pidOf(host) !== pid);
    expect(host.restarts).toEqual([expect.stringContaining('models were unloaded')]);
  });
});

describe('loading a model', () => {
  const shared = shareHost();

  it('does not hold up a task whose model is warm, even with a single worker', async () => {
    const host = shared();
    await run(host, testTask('echo', { model: 'quick' }));
    const door = gate('door');
    const slow = start(host, testTask('infer', { model: `slow:${door.file}` }));
    await until(() => slow.progress.some(({ stage }) => stage === 'load'));
    await until(() => host.runner.idleSlots('device') === 2);
    for (let count = 0; count < 5; count += 1) await run(host, testTask('infer', { model: 'quick' }));
    door.open();
    expect((await slow.result).stageMs.load).toBeGreaterThan(0);
  });

  it('does not hold up a task whose model is warm behind others that wait for the load', async () => {
    const host = shared();
    await run(host, testTask('echo', { model: 'quick' }));
    const door = gate('door');
    const slow = Array.from({ length: 8 }, () => start(host, testTask('infer', { model: `slow:${door.file}` })));
    await until(() => host.runner.idleSlots('device') === 2);
    await run(host, testTask('infer', { model: 'quick' }));
    door.open();
    await Promise.all(slow.map(({ result }) => result));
  });

  it('goes on for the next task when the one that caused it is cancelled', async () => {
    const host = shared();
    const door = gate('door');
    const model = `slow:${door.file}`;
    const first = start(host, testTask('infer', { model }));
    await until(() => first.progress.length > 0);
    first.abort();
    await expect(first.result).rejects.toMatchObject({ code: 'cancelled' });
    const second = start(host, testTask('infer', { model }));
    door.open();
    await second.result;
  });

  it('that does not come back has its host replaced, and goes on in the next one', async () => {
    const host = await openHost({ loadSeconds: 0.1 }, { endMs: 100 });
    const door = gate('door');
    const pid = pidOf(host);
    const task = start(host, testTask('infer', { model: `slow:${door.file}` }));
    await until(() => ![0, pid].includes(pidOf(host)));
    door.open();
    expect((await task.result).facts.pid).not.toBe(pid);
    expect(host.restarts[0]).toBe(`loading slow:${door.file} does not come back`);
    await until(() => !isAlive(pid));
  });

  it('happens at most once in each thread', async () => {
    const host = shared();
    const tasks = Array.from({ length: 12 }, () => run(host, testTask('infer', { model: 'conv:16' })));
    expect((await Promise.all(tasks)).map((facts) => facts.loads)).toEqual(tasks.map(() => 1));
  });
});

describe('inspect', () => {
  /** A tiny picture. */
  function picture(): string {
    const path = join(folder, 'pixel.gif');
    writeFileSync(path, Buffer.from('R0lGODlhAQABAIAAAP///wAAACH5BAAAAAAALAAAAAABAAEAAAICRAEAOw==', 'base64'));
    return path;
  }

  /** A file that never comes to its end: whoever opens it waits for a writer. */
  function endless(): string {
    const path = join(folder, 'endless');
    execFileSync('mkfifo', [path]);
    return path;
  }

  it('does not wait for tasks', async () => {
    const host = await openHost();
    const never = gate('never');
    const stuck = start(host, testTask('block-until', { params: { file: never.file } }));
    await isAtWork(stuck);
    expect(await host.runner.inspect(picture(), 'image')).toMatchObject({ format: 'gif', width: 1, height: 1 });
    never.open();
    await stuck.result;
  });

  it.skipIf(process.platform === 'win32')('gives up a file that does not end, with its host', async () => {
    const host = await openHost({}, { inspectMs: 1500 });
    const pid = pidOf(host);
    await expect(host.runner.inspect(endless(), 'mask')).rejects.toMatchObject({
      code: 'timeout',
      message: 'Looking into the picture took more than 1.5 s',
      details: { param: 'mask' },
    });
    expect(isAlive(pid)).toBe(false);
    expect((await host.runner.ready()).pid).not.toBe(pid);
  });

  it.skipIf(process.platform === 'win32')('survives the death of one host, but not of two', async () => {
    const host = await openHost();
    const facts = host.runner.inspect(endless(), 'image');
    facts.catch(() => {});
    for (let round = 1; round <= 2; round += 1) {
      process.kill(pidOf(host), 'SIGKILL');
      await until(() => host.restarts.length === round);
      await host.runner.ready();
    }
    await expect(facts).rejects.toMatchObject({ code: 'interrupted' });
  });
});

describe('close', () => {
  it('ends the host and refuses what comes later', async () => {
    const host = await openHost();
    const pid = pidOf(host);
    await host.runner.close();
    expect(isAlive(pid)).toBe(false);
    await expect(run(host, testTask('echo'))).rejects.toMatchObject({ code: 'busy' });
    await expect(host.runner.ready()).rejects.toMatchObject({ code: 'busy' });
    expect(host.restarts).toEqual([]);
  });

  it('stops and gives back what still runs', async () => {
    const host = await openHost();
    const task = start(host, testTask('step-until', { params: { file: gate('never').file } }));
    await isAtWork(task);
    await host.runner.close();
    await expect(task.result).rejects.toMatchObject({ code: 'busy' });
  });

  it('kills what does not stop', async () => {
    const host = await openHost({}, { endMs: 100 });
    const task = start(host, testTask('block-until', { params: { file: gate('never').file } }));
    await isAtWork(task);
    const pid = pidOf(host);
    await host.runner.close();
    await expect(task.result).rejects.toMatchObject({ code: 'busy' });
    expect(isAlive(pid)).toBe(false);
  });

  it('works while the host starts', async () => {
    const { runner } = superviseWith({});
    const ready = runner.ready();
    ready.catch(() => {});
    await runner.close();
    await expect(ready).rejects.toMatchObject({ code: 'busy' });
  });
});
