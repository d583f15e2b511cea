import type { Job } from '#src/engine/jobs/job-store.js';
import { openJobs } from '#src/engine/jobs/index.js';
import { JobWatch } from '#src/engine/jobs/watch.js';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { newJob } from './new-job.js';

let queued: Job;
let job: Job | null;
let watch: JobWatch;

beforeAll(async () => {
  const { jobs } = await openJobs({ path: ':memory:' });
  queued = (await jobs.insert(newJob('a'))).job;
  await jobs.close();
});

beforeEach(() => {
  job = queued;
  watch = new JobWatch(() => job);
});

describe('JobWatch', () => {
  test('keeps nothing of a watch that came to its end', async () => {
    const seen = [];
    for await (const { state } of watch.watch('a')) {
      seen.push(state);
      expect(watch.watchers).toBe(1);
      job = { ...queued, state: 'completed' };
      watch.announce(['a']);
    }
    expect(seen).toEqual(['queued', 'completed']);
    expect(watch.watchers).toBe(0);
  });

  test('keeps nothing of a watch that was left, aborted, failed or never begun', async () => {
    for await (const _ of watch.watch('a')) break;
    const abort = new AbortController();
    for await (const _ of watch.watch('a', abort.signal)) abort.abort();
    const failing = (async () => {
      for await (const _ of watch.watch('a')) throw new Error('the reader fails');
    })();
    await expect(failing).rejects.toThrow('the reader fails');
    await watch.watch('a')[Symbol.asyncIterator]().return?.();
    watch.watch('a')[Symbol.asyncIterator]();
    expect(watch.watchers).toBe(0);
  });

  test('wakes the watchers of the job that changed and of no other', async () => {
    const reads: string[] = [];
    const counting = new JobWatch((id) => {
      reads.push(id);
      return queued;
    });
    const [a, b] = ['a', 'b'].map((id) => counting.watch(id)[Symbol.asyncIterator]());
    await Promise.all([a?.next(), b?.next()]);
    const waiting = [a?.next(), b?.next()];
    counting.announce(['b', 'unknown']);
    await waiting[1];
    expect(reads).toEqual(['a', 'b', 'b']);
    counting.close();
    expect((await waiting[0])?.done).toBe(true);
    await b?.return?.();
    expect(counting.watchers).toBe(0);
  });

  test('ends when the job is gone', async () => {
    const rows = watch.watch('a')[Symbol.asyncIterator]();
    await rows.next();
    const waiting = rows.next();
    job = null;
    watch.announce(['a']);
    expect((await waiting).done).toBe(true);
    expect(watch.watchers).toBe(0);
  });
});
