import { getEventListeners } from 'node:events';
import type { SerializedError } from '#src/engine/errors.js';
import type { Job, JobResult, JobStore, NewJob } from '#src/engine/jobs/job-store.js';
import { noRouting } from '#src/engine/routing/routing.js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { newJob } from './new-job.js';

const hour = 60 * 60 * 1000;
const leaseMs = 30_000;

const result: JobResult = {
  outputs: [{ blob: 'out.png', format: 'png', contentType: 'image/png', width: 3, height: 2 }],
  modelActual: 'tiny',
  warnings: ['`colour` is not known'],
  facts: { device: 'cpu', stageMs: { infer: 12.5 } },
};

const broken: SerializedError = { code: 'internal', message: 'Internal error', details: {}, cause: 'a stack' };

/** What every JobStore does, on a clock that the suite moves. `open` gives an empty store. */
export function jobStoreContract(open: (clock: () => number) => Promise<JobStore>): void {
  let time: number;
  let store: JobStore;
  let made: number;

  beforeEach(async () => {
    time = 1_800_000_000_000;
    made = 0;
    store = await open(() => time);
  });

  afterEach(() => store.close());

  function next(overrides: Partial<NewJob> = {}): NewJob {
    made += 1;
    return newJob(`job_${made}`, overrides);
  }

  async function submit(overrides: Partial<NewJob> = {}): Promise<Job> {
    return (await store.insert(next(overrides))).job;
  }

  async function claimOne(): Promise<Job> {
    const [job] = await store.claim('device', 1, leaseMs);
    if (!job) throw new Error('Expected a job to be due');
    return job;
  }

  async function submitAndClaim(overrides: Partial<NewJob> = {}): Promise<Job> {
    await submit(overrides);
    return claimOne();
  }

  async function read(id: string): Promise<Job> {
    const job = await store.get(id);
    if (!job) throw new Error(`Expected ${id} to be stored`);
    return job;
  }

  describe('insert', () => {
    test('gives back the job as it is queued', async () => {
      const job = next({ params: { scale: 4, nested: { list: [1, 'é', null] } }, warnings: ['one'], priority: 5 });
      const inserted = await store.insert(job);
      expect(inserted.replayed).toBe(false);
      expect(inserted.job).toEqual({
        ...job,
        state: 'queued',
        maxAttempts: 3,
        result: null,
        error: null,
        errors: [],
        progress: 0,
        stage: null,
        attempt: 0,
        interruptions: 0,
        token: 0,
        cancelRequested: false,
        batch: null,
        webhook: null,
        autoRetry: false,
        routing: null,
        createdAt: time,
        runAt: time,
        startedAt: null,
        finishedAt: null,
        leaseExpiresAt: null,
      });
      expect(await store.get(job.id)).toEqual(inserted.job);
    });

    test('keeps whom to tell of the end', async () => {
      const webhook = { url: 'https://shop.example/hook', baseUrl: 'http://here', sealedSecret: 'sealed' };
      await submit({ id: 'a', webhook, autoRetry: true });
      expect(await read('a')).toMatchObject({ webhook, autoRetry: true });
    });

    test('fails alone when others arrive at the same moment', async () => {
      const twice = next();
      const settled = await Promise.allSettled([
        store.insert(twice),
        store.insert(twice),
        store.insert(next({ id: 'other' })),
      ]);
      expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
      expect((await store.stats()).states.queued).toBe(2);
      expect((await read('other')).state).toBe('queued');
    });

    test('is refused as busy, with a time to come back, when as many jobs wait as may', async () => {
      const settled = await Promise.allSettled(Array.from({ length: 8 }, () => store.insert(next(), { maxQueued: 5 })));
      expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(5);
      await expect(store.insert(next(), { maxQueued: 5 })).rejects.toMatchObject({
        code: 'busy',
        details: { retryAfterSeconds: expect.any(Number) },
      });
      await claimOne();
      await expect(store.insert(next(), { maxQueued: 5 })).resolves.toMatchObject({ replayed: false });
    });
  });

  describe('idempotency', () => {
    const idempotency = { key: 'k', fingerprint: 'f' };

    test('the same key makes one job, also when it is sent many times at once', async () => {
      const inserted = await Promise.all(
        Array.from({ length: 10 }, () => store.insert(next({ owner: 'a' }), { idempotency })),
      );
      expect(new Set(inserted.map(({ job }) => job.id))).toEqual(new Set(['job_1']));
      expect(inserted.map(({ replayed }) => replayed)).toEqual([false, ...Array(9).fill(true)]);
      expect((await store.stats()).states.queued).toBe(1);
    });

    test('a replay is the job as it is now', async () => {
      const claimed = await submitAndClaim();
      await store.insert(next({ id: 'keyed' }), { idempotency });
      await store.cancel('keyed');
      expect(await store.findReplay('local', idempotency)).toMatchObject({ id: 'keyed', state: 'cancelled' });
      expect(await store.findReplay('local', { ...idempotency, key: 'unknown' })).toBeNull();
      expect(claimed.id).not.toBe('keyed');
    });

    test('the same key of another owner is another job', async () => {
      await store.insert(next({ owner: 'a' }), { idempotency });
      expect(await store.findReplay('b', idempotency)).toBeNull();
      expect((await store.insert(next({ owner: 'b' }), { idempotency })).replayed).toBe(false);
    });

    test('the same key with another fingerprint is refused', async () => {
      await store.insert(next(), { idempotency });
      const other = { ...idempotency, fingerprint: 'g' };
      const refusal = { code: 'idempotency_key_reuse' };
      await expect(store.insert(next(), { idempotency: other })).rejects.toMatchObject(refusal);
      await expect(store.findReplay('local', other)).rejects.toMatchObject(refusal);
    });

    test('a replay is answered when the queue is full, and a refused submission leaves no key', async () => {
      await store.insert(next(), { idempotency, maxQueued: 1 });
      expect((await store.insert(next(), { idempotency, maxQueued: 1 })).replayed).toBe(true);
      const refused = { key: 'refused', fingerprint: 'f' };
      await expect(store.insert(next(), { idempotency: refused, maxQueued: 1 })).rejects.toMatchObject({
        code: 'busy',
      });
      expect(await store.findReplay('local', refused)).toBeNull();
    });

    test('a key is kept for a day, also when its job was removed', async () => {
      const { job } = await store.insert(next(), { idempotency });
      await store.cancel(job.id);
      time += 24 * hour;
      expect(await store.prune(time)).toBe(1);
      await expect(store.findReplay('local', idempotency)).rejects.toMatchObject({ code: 'gone' });
      await expect(store.insert(next(), { idempotency })).rejects.toMatchObject({ code: 'gone' });
      time += 1;
      await store.prune(time);
      expect((await store.insert(next(), { idempotency })).replayed).toBe(false);
    });

    test('a key is kept until its job has ended', async () => {
      const { job } = await store.insert(next(), { idempotency });
      time += 100 * hour;
      await store.prune(time);
      expect((await store.insert(next(), { idempotency })).job.id).toBe(job.id);
      await store.cancel(job.id);
      time += 1;
      await store.prune(time - hour);
      expect(await store.findReplay('local', idempotency)).toBeNull();
    });
  });

  describe('claim', () => {
    test('begins an attempt with a lease', async () => {
      await submit();
      time += 1000;
      expect(await claimOne()).toMatchObject({
        state: 'running',
        attempt: 1,
        startedAt: time,
        leaseExpiresAt: time + leaseMs,
        progress: 0,
        stage: null,
      });
    });

    test('gives the same job to one caller only', async () => {
      await Promise.all(Array.from({ length: 20 }, () => submit()));
      const claims = await Promise.all(Array.from({ length: 15 }, () => store.claim('device', 2, leaseMs)));
      const ids = claims.flat().map(({ id }) => id);
      expect(ids).toHaveLength(20);
      expect(new Set(ids).size).toBe(20);
    });

    test('takes the highest priority first, then the oldest, whatever the ids are', async () => {
      for (const id of ['z', 'y', 'b', 'a']) await submit({ id });
      await submit({ id: 'urgent', priority: 10 });
      await submit({ id: 'idle', priority: -1 });
      time -= 1; // the clock of the machine may be set back
      await submit({ id: 'older' });
      time += 1;
      const ids = (await store.claim('device', 10, leaseMs)).map(({ id }) => id);
      expect(ids).toEqual(['urgent', 'older', 'z', 'y', 'b', 'a', 'idle']);
    });

    test('takes no more than asked, of its lane only, and only what is due', async () => {
      await submit({ id: 'other lane', lane: 'cpu' });
      await submit({ id: 'first' });
      await submit({ id: 'second' });
      const [first] = await store.claim('device', 1, leaseMs);
      expect(first?.id).toBe('first');
      await store.retryLater(first as Job, broken, 5000);
      expect((await store.claim('device', 10, leaseMs)).map(({ id }) => id)).toEqual(['second']);
      expect(await store.claim('device', 10, leaseMs)).toEqual([]);
      time += 5000;
      expect((await store.claim('device', 10, leaseMs)).map(({ id }) => id)).toEqual(['first']);
      expect(await store.claim('remote', 10, leaseMs)).toEqual([]);
      expect(await store.claim('cpu', 0, leaseMs)).toEqual([]);
    });

    test('gives a greater token each time', async () => {
      const first = await submitAndClaim();
      await store.release(first);
      const second = await claimOne();
      await store.retryLater(second, broken, 0);
      const third = await claimOne();
      expect(second.token).toBeGreaterThan(first.token);
      expect(third.token).toBeGreaterThan(second.token);
    });
  });

  describe('route', () => {
    test('is kept when the job is put back, and through its end', async () => {
      const job = await submitAndClaim();
      const routing = { ...noRouting, requested: 'kling-v3-t2v', asyncFailover: 'no room' };
      expect(await store.route(job, routing)).toBe(true);
      await store.interrupt(job);
      expect((await read(job.id)).routing).toEqual(routing);
      const again = await claimOne();
      expect(again.routing).toEqual(routing);
      await store.complete(again, result);
      expect((await read(job.id)).routing).toEqual(routing);
    });
  });

  describe('the claim of an earlier attempt', () => {
    const writes: Record<string, (store: JobStore, claim: Job) => Promise<boolean>> = {
      progress: (store, claim) => store.progress(claim, 0.9, 'encode'),
      route: (store, claim) => store.route(claim, noRouting),
      complete: (store, claim) => store.complete(claim, result),
      fail: (store, claim) => store.fail(claim, broken),
      acknowledgeCancel: (store, claim) => store.acknowledgeCancel(claim),
      retryLater: (store, claim) => store.retryLater(claim, broken, 0),
      interrupt: (store, claim) => store.interrupt(claim),
      release: (store, claim) => store.release(claim),
    };

    test.each(Object.keys(writes))('%s changes nothing', async (name) => {
      const write = writes[name] as (typeof writes)[string];
      const lost = await submitAndClaim();
      await store.release(lost);
      const queued = await read(lost.id);
      expect(await write(store, lost)).toBe(false);
      expect(await read(lost.id)).toEqual(queued);
      const current = await claimOne();
      expect(await write(store, lost)).toBe(false);
      expect(await read(lost.id)).toEqual(current);
      await store.complete(current, result);
      const ended = await read(lost.id);
      expect(await write(store, lost)).toBe(false);
      expect(await write(store, current)).toBe(false);
      expect(await read(lost.id)).toEqual(ended);
    });
  });

  describe('renew', () => {
    test('prolongs the leases that are held and names those that are lost', async () => {
      const [lost, held] = [await submitAndClaim(), await submitAndClaim()];
      await store.release(lost);
      time += 20_000;
      const { id, token } = lost;
      expect(await store.renew([{ id, token }, held], leaseMs)).toEqual({ lost: [{ id, token }], cancelled: [] });
      expect((await read(held.id)).leaseExpiresAt).toBe(time + leaseMs);
      expect((await read(lost.id)).leaseExpiresAt).toBeNull();
    });

    test('names the jobs whose cancellation was asked for', async () => {
      const [first, second] = [await submitAndClaim(), await submitAndClaim()];
      await store.cancel(second.id);
      expect(await store.renew([first, second], leaseMs)).toEqual({ lost: [], cancelled: [second.id] });
    });
  });

  describe('ends', () => {
    test('complete keeps the result', async () => {
      const job = await submitAndClaim();
      expect(await store.progress(job, 0.5, 'infer')).toBe(true);
      expect(await read(job.id)).toMatchObject({ progress: 0.5, stage: 'infer' });
      time += 700;
      expect(await store.complete(job, result)).toBe(true);
      const ended = { state: 'completed', result, error: null, progress: 1, stage: null };
      expect(await read(job.id)).toMatchObject({ ...ended, finishedAt: time, leaseExpiresAt: null, attempt: 1 });
    });

    test('fail keeps the error, also among the errors of the attempts', async () => {
      const job = await submitAndClaim();
      expect(await store.fail(job, broken)).toBe(true);
      expect(await read(job.id)).toMatchObject({ state: 'failed', error: broken, result: null, finishedAt: time });
      expect((await read(job.id)).errors).toEqual([{ ...broken, attempt: 1, at: time }]);
    });

    test('acknowledgeCancel ends the job as cancelled', async () => {
      const job = await submitAndClaim();
      expect((await store.cancel(job.id))?.state).toBe('running');
      expect(await store.acknowledgeCancel(job)).toBe(true);
      expect(await read(job.id)).toMatchObject({ state: 'cancelled', error: null, finishedAt: time });
    });
  });

  describe('retryLater', () => {
    test('puts the job back until its attempts are used up, and keeps every error', async () => {
      await submit({ maxAttempts: 2 });
      const first = await claimOne();
      await store.progress(first, 0.5, 'infer');
      expect(await store.retryLater(first, broken, 2500.5)).toBe(true);
      const back = { state: 'queued', attempt: 1, startedAt: null, progress: 0, stage: null, error: null };
      expect(await read(first.id)).toMatchObject(back);
      const { runAt } = await read(first.id);
      expect(runAt).toBeGreaterThanOrEqual(time + 2500.5);
      time = runAt;
      const second = await claimOne();
      const last: SerializedError = { code: 'out_of_memory', message: 'Out of memory', details: {} };
      expect(await store.retryLater(second, last, 0)).toBe(true);
      expect(await read(first.id)).toMatchObject({ state: 'failed', attempt: 2, error: last, finishedAt: time });
      expect((await read(first.id)).errors).toEqual([
        { ...broken, attempt: 1, at: runAt - 2501 },
        { ...last, attempt: 2, at: time },
      ]);
    });

    test.each([1, 3])(
      'ends a job whose cancellation was asked for as cancelled (of %i attempts)',
      async (maxAttempts) => {
        const job = await submitAndClaim({ maxAttempts });
        await store.cancel(job.id);
        expect(await store.retryLater(job, broken, 0)).toBe(true);
        expect(await read(job.id)).toMatchObject({ state: 'cancelled', errors: [{ ...broken, attempt: 1, at: time }] });
      },
    );
  });

  describe('release', () => {
    test('gives the attempt and the place in the queue back', async () => {
      const first = await submitAndClaim();
      time += 10;
      await submit();
      expect(await store.release(first)).toBe(true);
      expect(await read(first.id)).toMatchObject({ state: 'queued', attempt: 0, startedAt: null, errors: [] });
      expect((await claimOne()).id).toBe(first.id);
    });

    test('ends a job whose cancellation was asked for as cancelled', async () => {
      const job = await submitAndClaim();
      await store.cancel(job.id);
      expect(await store.release(job)).toBe(true);
      expect((await read(job.id)).state).toBe('cancelled');
    });
  });

  describe('interrupt', () => {
    test('gives the attempt back and counts the interruption', async () => {
      const job = await submitAndClaim();
      expect(await store.interrupt(job)).toBe(true);
      expect(await read(job.id)).toMatchObject({ state: 'queued', attempt: 0, interruptions: 1, errors: [] });
      expect(await store.interrupt(job)).toBe(false);
    });

    test('fails a job as crashed the eleventh time', async () => {
      const { id } = await submit();
      for (let times = 1; times <= 10; times += 1) await store.interrupt(await claimOne());
      expect(await read(id)).toMatchObject({ state: 'queued', interruptions: 10 });
      await store.interrupt(await claimOne());
      expect(await read(id)).toMatchObject({ state: 'failed', error: { code: 'crashed' } });
    });
  });

  describe('cancel', () => {
    test('ends a queued job at once', async () => {
      const job = await submit();
      expect(await store.cancel(job.id)).toMatchObject({ state: 'cancelled', finishedAt: time, startedAt: null });
      expect(await store.claim('device', 1, leaseMs)).toEqual([]);
    });

    test('asks a running job to stop, which may still complete', async () => {
      const job = await submitAndClaim();
      expect(await store.cancel(job.id)).toMatchObject({ state: 'running', cancelRequested: true });
      expect(await store.complete(job, result)).toBe(true);
      expect((await read(job.id)).state).toBe('completed');
    });

    test('leaves an ended job alone and knows no others', async () => {
      const job = await submitAndClaim();
      await store.complete(job, result);
      const ended = await read(job.id);
      time += 1;
      expect(await store.cancel(job.id)).toEqual(ended);
      expect(await store.cancel('unknown')).toBeNull();
    });
  });

  describe('recover', () => {
    test('gives back the attempts of a server that died', async () => {
      const running = await submitAndClaim();
      const queued = await submit();
      expect(await store.recover()).toEqual([running.id]);
      expect(await read(running.id)).toMatchObject({ state: 'queued', attempt: 0, interruptions: 1, errors: [] });
      expect(await read(queued.id)).toEqual(queued);
      expect(await store.complete(running, result)).toBe(false);
    });

    test('fails a job as crashed the eleventh time', async () => {
      const { id } = await submit();
      for (let deaths = 1; deaths <= 10; deaths += 1) {
        await claimOne();
        await store.recover();
        expect(await read(id)).toMatchObject({ state: 'queued', attempt: 0, interruptions: deaths });
      }
      await claimOne();
      expect(await store.recover()).toEqual([id]);
      expect(await read(id)).toMatchObject({
        state: 'failed',
        error: { code: 'crashed' },
        errors: [{ code: 'crashed', attempt: 1, at: time }],
      });
    });

    test('ends a job whose cancellation was asked for as cancelled', async () => {
      const job = await submitAndClaim();
      await store.cancel(job.id);
      await store.recover();
      expect((await read(job.id)).state).toBe('cancelled');
    });
  });

  describe('sweep', () => {
    test('takes back what has not renewed its lease, as an attempt that crashed', async () => {
      const lost = await submitAndClaim({ maxAttempts: 2 });
      time += leaseMs - 1;
      const held = await submitAndClaim();
      expect(await store.sweep()).toEqual([]);
      time += 1;
      expect(await store.sweep()).toEqual([lost.id]);
      expect(await read(lost.id)).toMatchObject({ state: 'queued', attempt: 1, errors: [{ code: 'crashed' }] });
      expect((await read(held.id)).state).toBe('running');
      expect(await store.complete(lost, result)).toBe(false);
    });

    test('fails a job whose attempts are used up', async () => {
      const { id } = await submit({ maxAttempts: 1 });
      await claimOne();
      time += leaseMs;
      expect(await store.sweep()).toEqual([id]);
      expect(await read(id)).toMatchObject({ state: 'failed', error: { code: 'crashed' }, finishedAt: time });
    });
  });

  describe('prune', () => {
    test('removes the jobs that ended before, however many', async () => {
      const kept = [await submit({ lane: 'cpu' }), await submitAndClaim()];
      const old = await Promise.all(Array.from({ length: 1203 }, () => submit()));
      await Promise.all(old.map(({ id }) => store.cancel(id)));
      time += 1;
      const recent = await submit();
      await store.cancel(recent.id);
      expect(await store.prune(time)).toBe(1203);
      for (const { id } of [...kept, recent]) expect(await store.get(id)).not.toBeNull();
      expect(await store.get(old[0]?.id as string)).toBeNull();
      expect((await store.stats()).states).toEqual({ queued: 1, running: 1, completed: 0, failed: 0, cancelled: 1 });
    });
  });

  describe('nextRunAt', () => {
    test('is the time at which the first job of the lane becomes due', async () => {
      expect(await store.nextRunAt('device')).toBeNull();
      await submit({ lane: 'cpu' });
      expect(await store.nextRunAt('device')).toBeNull();
      const job = await submitAndClaim();
      expect(await store.nextRunAt('device')).toBeNull();
      await store.retryLater(job, broken, 4000);
      expect(await store.nextRunAt('device')).toBe(time + 4000);
    });
  });

  describe('stats', () => {
    const none = { queued: 0, running: 0, completed: 0, failed: 0, cancelled: 0 };

    test('of an empty queue are zeros', async () => {
      expect(await store.stats()).toEqual({
        states: none,
        queued: { device: 0, cpu: 0, media: 0, remote: 0 },
        oldestAgeMs: 0,
      });
    });

    test('count the jobs of each state and lane through every transition', async () => {
      const completed = await submitAndClaim();
      const failed = await submitAndClaim();
      await submitAndClaim();
      await submit();
      await submit({ lane: 'cpu' });
      await submit({ lane: 'cpu' });
      const cancelled = await submit({ lane: 'remote' });
      await store.complete(completed, result);
      await store.fail(failed, broken);
      await store.cancel(cancelled.id);
      const stats = await store.stats();
      expect(stats.states).toEqual({ queued: 3, running: 1, completed: 1, failed: 1, cancelled: 1 });
      expect(stats.queued).toEqual({ device: 1, cpu: 2, media: 0, remote: 0 });
      await store.recover();
      expect((await store.stats()).states).toMatchObject({ queued: 4, running: 0 });
    });

    test('tell for how long the oldest due job has been due', async () => {
      const retried = await submitAndClaim();
      await store.retryLater(retried, broken, 60_000);
      expect((await store.stats()).oldestAgeMs).toBe(0);
      time += 1000;
      await submit({ lane: 'cpu' });
      time += 500;
      await submit({ lane: 'cpu' });
      expect((await store.stats()).oldestAgeMs).toBe(500);
    });
  });

  describe('watch', () => {
    test('gives the job now, after each change, and its end last', async () => {
      const { id } = await submit();
      const seen: string[] = [];
      for await (const job of store.watch(id)) {
        seen.push(`${job.state} ${job.progress}`);
        if (job.state === 'queued') await claimOne();
        else if (job.progress === 0) await store.progress(job, 0.5, 'infer');
        else if (job.state === 'running') await store.complete(job, result);
      }
      expect(seen).toEqual(['queued 0', 'running 0', 'running 0.5', 'completed 1']);
    });

    test('wakes every watcher of a job that waits', async () => {
      const { id } = await submit();
      const watchers = Array.from({ length: 50 }, () => store.watch(id)[Symbol.asyncIterator]());
      for (const watcher of watchers) await watcher.next();
      const ends = watchers.map((watcher) => watcher.next());
      await store.cancel(id);
      for (const end of await Promise.all(ends)) expect(end.value).toMatchObject({ id, state: 'cancelled' });
      for (const watcher of watchers) expect((await watcher.next()).done).toBe(true);
    });

    test('sees changes that came faster than it looked as one', async () => {
      const job = await submitAndClaim();
      const watcher = store.watch(job.id)[Symbol.asyncIterator]();
      await watcher.next();
      for (let step = 1; step <= 20; step += 1) await store.progress(job, step / 100, 'infer');
      expect((await watcher.next()).value).toMatchObject({ progress: 0.2 });
      const next = watcher.next();
      await store.progress(job, 0.6, 'infer');
      expect((await next).value).toMatchObject({ progress: 0.6 });
      await watcher.return?.();
    });

    test('notices recovery, sweeping, release and retries', async () => {
      const { id } = await submitAndClaim();
      const watcher = store.watch(id)[Symbol.asyncIterator]();
      await watcher.next();
      const changes = [
        () => store.recover(),
        claimOne,
        async () => store.release(await read(id)),
        claimOne,
        async () => store.retryLater(await read(id), broken, 0),
        claimOne,
        async () => {
          time += leaseMs;
          return store.sweep();
        },
      ];
      for (const [index, change] of changes.entries()) {
        const next = watcher.next();
        await change();
        expect((await next).value.state).toBe(index % 2 === 0 ? 'queued' : 'running');
      }
      await watcher.return?.();
    });

    test('of an ended job gives it once; of an unknown one, nothing', async () => {
      const { id } = await submit();
      await store.cancel(id);
      const seen = async (watched: string) => {
        const states = [];
        for await (const job of store.watch(watched)) states.push(job.state);
        return states;
      };
      expect(await seen(id)).toEqual(['cancelled']);
      expect(await seen('unknown')).toEqual([]);
    });

    test('ends without an error when the signal aborts, and leaves no listener on it', async () => {
      const { id } = await submit();
      const abort = new AbortController();
      const watchers = Array.from({ length: 8 }, () => store.watch(id, abort.signal)[Symbol.asyncIterator]());
      for (const watcher of watchers) await watcher.next();
      expect(getEventListeners(abort.signal, 'abort')).toHaveLength(8);
      await watchers[0]?.return?.();
      expect(getEventListeners(abort.signal, 'abort')).toHaveLength(7);
      const waiting = watchers.map((watcher) => watcher.next());
      abort.abort();
      for (const end of await Promise.all(waiting)) expect(end.done).toBe(true);
      expect(getEventListeners(abort.signal, 'abort')).toHaveLength(0);
      expect((await store.watch(id, abort.signal)[Symbol.asyncIterator]().next()).done).toBe(true);
    });

    test('can be left while it waits', async () => {
      const { id } = await submit();
      const watcher = store.watch(id)[Symbol.asyncIterator]();
      await watcher.next();
      const waiting = watcher.next();
      await watcher.return?.();
      expect((await waiting).done).toBe(true);
    });

    test('ends when the store is closed', async () => {
      const { id } = await submit();
      const watcher = store.watch(id)[Symbol.asyncIterator]();
      await watcher.next();
      const waiting = watcher.next();
      await store.close();
      expect((await waiting).done).toBe(true);
    });
  });

  describe('isWritable', () => {
    test('is true of a store that takes jobs and false of a closed one', async () => {
      expect(await store.isWritable()).toBe(true);
      await store.close();
      expect(await store.isWritable()).toBe(false);
    });
  });

  describe('close', () => {
    test('stores what was asked for before, and may be called twice', async () => {
      const inserting = store.insert(next());
      await store.close();
      expect((await inserting).job.state).toBe('queued');
      await store.close();
      await expect(store.insert(next())).rejects.toThrow();
    });
  });
}
