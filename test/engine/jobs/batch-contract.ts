import type { SerializedError } from '#src/engine/errors.js';
import type { Batch, Job, JobStore, NewBatch } from '#src/engine/jobs/job-store.js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { newJob } from './new-job.js';

const refusal: SerializedError = { code: 'invalid_input', message: 'No such picture', details: { param: 'image_url' } };
const result = { outputs: [], modelActual: 'tiny', warnings: [], facts: {} };
const leaseMs = 30_000;

/** What every JobStore does with batches, on a clock that the suite moves. `open` gives an empty store. */
export function batchContract(open: (clock: () => number) => Promise<JobStore>): void {
  let time: number;
  let store: JobStore;

  beforeEach(async () => {
    time = 1_800_000_000_000;
    store = await open(() => time);
  });

  afterEach(() => store.close());

  function batchOf(count: number, overrides: Partial<NewBatch> = {}): NewBatch {
    const items = Array.from({ length: count }, (_, index) => ({ job: newJob(`job_${index}`) }));
    return { id: 'batch', operation: 'super-resolution', owner: 'local', items, ...overrides };
  }

  async function read(id = 'batch'): Promise<Batch> {
    const batch = await store.getBatch(id);
    if (!batch) throw new Error(`Expected ${id} to be stored`);
    return batch;
  }

  const states = ({ jobs }: Batch) => jobs.map(({ state }) => state);

  describe('insertBatch', () => {
    test('queues every job in its order, and each can be read by itself', async () => {
      const webhook = { url: 'https://shop.example/hook', baseUrl: 'http://here', sealedSecret: null };
      const { batch, replayed } = await store.insertBatch(batchOf(3, { webhook }));
      expect(replayed).toBe(false);
      expect(batch).toMatchObject({ id: 'batch', owner: 'local', webhook, createdAt: time, finishedAt: null });
      expect(batch.jobs.map(({ id }) => id)).toEqual(['job_0', 'job_1', 'job_2']);
      expect(await read()).toEqual(batch);
      expect(await store.get('job_1')).toMatchObject({ batch: 'batch', state: 'queued' });
      expect(await store.claim('device', 5, leaseMs)).toHaveLength(3);
    });

    test('stores all of it or nothing', async () => {
      await store.insert(newJob('job_2'));
      await expect(store.insertBatch(batchOf(4))).rejects.toThrow();
      expect(await store.getBatch('batch')).toBeNull();
      expect(await store.get('job_0')).toBeNull();
      expect((await store.stats()).states.queued).toBe(1);
    });

    test('is refused whole when not all of its jobs may wait', async () => {
      await store.insert(newJob('other'));
      await expect(store.insertBatch(batchOf(3), { maxQueued: 3 })).rejects.toMatchObject({ code: 'busy' });
      expect((await store.stats()).states.queued).toBe(1);
      expect((await store.insertBatch(batchOf(3), { maxQueued: 4 })).batch.jobs).toHaveLength(3);
    });

    test('stores a refused job as failed and lets the others go on', async () => {
      const batch = batchOf(3);
      Object.assign(batch.items[1] as object, { refusal });
      await store.insertBatch(batch, { maxQueued: 2 });
      expect(states(await read())).toEqual(['queued', 'failed', 'queued']);
      expect(await store.get('job_1')).toMatchObject({ error: refusal, finishedAt: time, attempt: 0 });
      expect((await store.claim('device', 5, leaseMs)).map(({ id }) => id)).toEqual(['job_0', 'job_2']);
    });

    test('has ended at once when every job is refused', async () => {
      const items = batchOf(2).items.map(({ job }) => ({ job, refusal }));
      await store.insertBatch(batchOf(0, { items }));
      expect(await read()).toMatchObject({ finishedAt: time });
    });
  });

  describe('idempotency of batches', () => {
    const idempotency = { key: 'k', fingerprint: 'f' };

    test('the same key makes one batch', async () => {
      const first = await store.insertBatch(batchOf(2), { idempotency });
      const second = await store.insertBatch(batchOf(2, { id: 'another' }), { idempotency });
      expect([first.replayed, second.replayed, second.batch.id]).toEqual([false, true, 'batch']);
      expect((await store.stats()).states.queued).toBe(2);
      expect((await store.findBatchReplay('local', idempotency))?.id).toBe('batch');
      expect(await store.findBatchReplay('another owner', idempotency)).toBeNull();
      await expect(store.findBatchReplay('local', { ...idempotency, fingerprint: 'g' })).rejects.toMatchObject({
        code: 'idempotency_key_reuse',
      });
    });

    test('a key is kept until its batch has ended', async () => {
      await store.insertBatch(batchOf(1), { idempotency });
      time += 100 * 3_600_000;
      await store.prune(time);
      expect(await store.findBatchReplay('local', idempotency)).not.toBeNull();
      await store.cancelBatch('batch');
      await store.prune(time);
      expect(await store.findBatchReplay('local', idempotency)).toBeNull();
    });
  });

  describe('a batch', () => {
    test('ends with the last of its jobs, however each of them ends', async () => {
      await store.insertBatch(batchOf(4));
      const [first, second, third] = (await store.claim('device', 3, leaseMs)) as [Job, Job, Job];
      await store.complete(first, result);
      await store.fail(second, refusal);
      await store.cancel('job_3');
      time += 5000;
      expect((await read()).finishedAt).toBeNull();
      await store.complete(third, result);
      expect(await read()).toMatchObject({ finishedAt: time });
      expect(states(await read())).toEqual(['completed', 'failed', 'completed', 'cancelled']);
    });

    test('goes with its jobs when they are past their time, not before', async () => {
      await store.insertBatch(batchOf(2));
      await store.cancel('job_0');
      await store.prune(time + 1);
      expect((await read()).jobs.map(({ id }) => id)).toEqual(['job_1']);
      await store.cancelBatch('batch');
      await store.prune(time);
      expect((await read()).finishedAt).toBe(time);
      expect(await store.prune(time + 1)).toBe(1);
      expect(await store.getBatch('batch')).toBeNull();
    });
  });

  describe('cancelBatch', () => {
    test('ends what waits, asks what runs to stop, and leaves what has ended', async () => {
      await store.insertBatch(batchOf(3));
      const [done, running] = (await store.claim('device', 2, leaseMs)) as [Job, Job];
      await store.complete(done, result);
      const batch = await store.cancelBatch('batch');
      expect(states(batch as Batch)).toEqual(['completed', 'running', 'cancelled']);
      expect((await store.renew([running], leaseMs)).cancelled).toEqual([running.id]);
      await store.acknowledgeCancel(running);
      expect(await read()).toMatchObject({ finishedAt: time });
      expect(await store.cancelBatch('unknown')).toBeNull();
    });

    test('is seen by whoever watches one of the jobs', async () => {
      await store.insertBatch(batchOf(1));
      const watcher = store.watch('job_0')[Symbol.asyncIterator]();
      await watcher.next();
      const change = watcher.next();
      await store.cancelBatch('batch');
      expect((await change).value).toMatchObject({ state: 'cancelled' });
    });
  });
}
