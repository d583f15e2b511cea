import type { Delivery, DeliveryAttempt, DeliveryStore } from '#src/engine/jobs/delivery-store.js';
import type { Job, JobStore, NewJob } from '#src/engine/jobs/job-store.js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { newJob } from './new-job.js';

interface Stores {
  jobs: JobStore;
  deliveries: DeliveryStore;
}

const result = { outputs: [], modelActual: 'tiny', warnings: [], facts: {} };
const failure = { code: 'internal' as const, message: 'Internal error', details: {} };
const all = { limit: 100, perHost: 100, leaseMs: 10_000 };
const webhookAt = (url: string) => ({ url, baseUrl: 'http://here', sealedSecret: 'sealed' });

/** What every DeliveryStore does together with its JobStore, on a clock that the suite moves. */
export function deliveryStoreContract(open: (clock: () => number) => Promise<Stores>): void {
  let time: number;
  let jobs: JobStore;
  let deliveries: DeliveryStore;
  let due: number;

  beforeEach(async () => {
    time = 1_800_000_000_000;
    due = 0;
    ({ jobs, deliveries } = await open(() => time));
    deliveries.onDue(() => {
      due += 1;
    });
  });

  afterEach(() => jobs.close());

  /** A job with a webhook, cancelled at once. */
  async function ended(
    id: string,
    { url = 'https://a.example/hook', ...overrides }: Partial<NewJob & { url: string }> = {},
  ) {
    await jobs.insert(newJob(id, { webhook: webhookAt(url), ...overrides }));
    await jobs.cancel(id);
  }

  async function begun(id: string, overrides: Partial<NewJob> = {}): Promise<Job> {
    await jobs.insert(newJob(id, { webhook: webhookAt('https://a.example/hook'), ...overrides }));
    const [job] = await jobs.claim('device', 1, 30_000);
    return job as Job;
  }

  const listed = () => deliveries.list({ owner: 'local', limit: 100 });
  const attempt = (overrides: Partial<DeliveryAttempt> = {}) => ({
    at: time,
    ms: 5,
    status: 200,
    error: null,
    ...overrides,
  });
  const ids = (found: Delivery[]) => found.map(({ subject }) => subject);

  describe('the end of a job', () => {
    test('that has a webhook is owed from then on', async () => {
      const job = await begun('a');
      expect(await listed()).toEqual([]);
      time += 7;
      await jobs.complete(job, result);
      expect(due).toBe(1);
      expect(await listed()).toEqual([
        {
          id: 'whd_a_completed',
          kind: 'job',
          subject: 'a',
          owner: 'local',
          operation: 'super-resolution',
          status: 'completed',
          url: 'https://a.example/hook',
          state: 'pending',
          attempts: [],
          tries: 0,
          dueAt: time,
          createdAt: time,
          endedAt: null,
        },
      ]);
    });

    test('that has none is owed to nobody', async () => {
      await jobs.complete(await begun('a', { webhook: null }), result);
      expect([due, await listed()]).toEqual([0, []]);
    });

    test('that is late, and changes nothing, owes nothing', async () => {
      const job = await begun('a');
      await jobs.release(job);
      expect(await jobs.complete(job, result)).toBe(false);
      expect([due, await listed()]).toEqual([0, []]);
    });

    test.each<[string, (job: Job) => Promise<unknown>]>([
      ['fail', (job) => jobs.fail(job, failure)],
      ['acknowledgeCancel', (job) => jobs.acknowledgeCancel(job)],
      ['retryLater of the last attempt', (job) => jobs.retryLater(job, failure, 0)],
      [
        'sweep of the last attempt',
        () => {
          time += 60_000;
          return jobs.sweep();
        },
      ],
    ])('by %s is owed as a failure', async (_name, end) => {
      await end(await begun('a', { maxAttempts: 1 }));
      expect((await listed()).map(({ id, status }) => [id, status])).toEqual([['whd_a_failed', 'failed']]);
    });

    test('is no end while an attempt is left', async () => {
      await jobs.retryLater(await begun('a'), failure, 0);
      expect(await listed()).toEqual([]);
    });
  });

  describe('the end of a batch', () => {
    const batch = (id: string) => ({
      id,
      operation: 'super-resolution',
      owner: 'local',
      webhook: webhookAt('https://a.example/batch'),
      items: [{ job: newJob(`${id}_1`) }, { job: newJob(`${id}_2`, { webhook: webhookAt('https://a.example/one') }) }],
    });

    test('is owed once, beside what its jobs owe', async () => {
      await jobs.insertBatch(batch('b'));
      const [first, second] = (await jobs.claim('device', 2, 30_000)) as [Job, Job];
      await jobs.fail(first, failure);
      expect(await listed()).toEqual([]);
      await jobs.complete(second, result);
      expect((await listed()).map(({ id, kind, url }) => [id, kind, url])).toEqual([
        ['whd_b_completed', 'batch', 'https://a.example/batch'],
        ['whd_b_2_completed', 'job', 'https://a.example/one'],
      ]);
    });

    test('is a failure when every job of it failed', async () => {
      await jobs.insertBatch(batch('b'));
      await jobs.cancelBatch('b');
      expect((await listed())[0]).toMatchObject({ id: 'whd_b_failed', status: 'failed' });
    });
  });

  describe('claim', () => {
    test('gives the same delivery to one caller only, until its lease runs out', async () => {
      await ended('a');
      const claims = await Promise.all([deliveries.claim(all), deliveries.claim(all)]);
      expect(ids(claims.flat())).toEqual(['a']);
      time += all.leaseMs - 1;
      expect(await deliveries.claim(all)).toEqual([]);
      time += 1;
      expect(ids(await deliveries.claim(all))).toEqual(['a']);
    });

    test('takes of each host no more than may be under way, and the host first that waits longest', async () => {
      for (const id of ['z1', 'z2', 'z3']) await ended(id, { url: 'https://z.example/hook' });
      time += 1;
      for (const id of ['a1', 'a2']) await ended(id, { url: 'https://a.example:8443/hook' });
      const found = await deliveries.claim({ ...all, perHost: 2 });
      expect(ids(found)).toEqual(['z1', 'z2', 'a1', 'a2']);
      expect(await deliveries.claim({ ...all, perHost: 2 })).toEqual([]);
      await deliveries.settle('whd_z2_failed', attempt(), { state: 'delivered' });
      expect(ids(await deliveries.claim({ ...all, perHost: 2 }))).toEqual(['z3']);
    });

    test('takes no more than asked', async () => {
      for (const id of ['a', 'b', 'c']) await ended(id, { url: `https://${id}.example` });
      expect(ids(await deliveries.claim({ ...all, limit: 2 }))).toEqual(['a', 'b']);
      expect(ids(await deliveries.claim({ ...all, limit: 2 }))).toEqual(['c']);
    });
  });

  describe('settle', () => {
    test('notes the attempt and makes the next one due', async () => {
      await ended('a');
      await deliveries.claim(all);
      const refused = attempt({ status: 500, error: 'It said 500' });
      await deliveries.settle('whd_a_failed', refused, { state: 'pending', dueAt: time + 5000 });
      expect(await deliveries.get('whd_a_failed')).toMatchObject({
        state: 'pending',
        attempts: [refused],
        tries: 1,
        dueAt: time + 5000,
      });
      expect(await deliveries.nextDueAt()).toBe(time + 5000);
      expect(await deliveries.claim(all)).toEqual([]);
      time += 5000;
      expect(await deliveries.nextDueAt()).toBeNull();
      expect(ids(await deliveries.claim(all))).toEqual(['a']);
    });

    test.each(['delivered', 'gone', 'exhausted'] as const)('ends it as %s', async (state) => {
      await ended('a');
      await deliveries.claim(all);
      time += 3;
      await deliveries.settle('whd_a_failed', attempt(), { state });
      expect(await deliveries.get('whd_a_failed')).toMatchObject({ state, dueAt: null, endedAt: time });
      time += 100_000;
      expect(await deliveries.claim(all)).toEqual([]);
    });

    test('keeps the last fifty attempts', async () => {
      await ended('a');
      for (let status = 1; status <= 60; status += 1) {
        await deliveries.settle('whd_a_failed', attempt({ status }), { state: 'pending', dueAt: time });
      }
      const found = await deliveries.get('whd_a_failed');
      expect(found?.attempts.map(({ status }) => status)).toEqual(Array.from({ length: 50 }, (_, index) => index + 11));
      expect(found?.tries).toBe(60);
    });
  });

  describe('recover', () => {
    test('gives back what a dead server had taken', async () => {
      await ended('a');
      await deliveries.claim(all);
      expect(await deliveries.recover()).toBe(1);
      expect(ids(await deliveries.claim(all))).toEqual(['a']);
    });
  });

  describe('redeliver', () => {
    test('makes an ended delivery due with all its tries, keeps its log, and says that it is due', async () => {
      await ended('a');
      await deliveries.claim(all);
      await deliveries.settle('whd_a_failed', attempt({ status: 410 }), { state: 'gone' });
      time += 1000;
      const before = due;
      expect(await deliveries.redeliver('whd_a_failed')).toMatchObject({
        state: 'pending',
        tries: 0,
        dueAt: time,
        endedAt: null,
        attempts: [{ status: 410 }],
      });
      expect(due).toBe(before + 1);
      expect(ids(await deliveries.claim(all))).toEqual(['a']);
      expect(await deliveries.redeliver('unknown')).toBeNull();
    });
  });

  describe('list', () => {
    test('shows the newest first, page by page, to their owner', async () => {
      for (const id of ['a', 'b', 'c']) await ended(id);
      await ended('d', { owner: 'another' });
      expect(ids(await deliveries.list({ owner: 'local', limit: 2 }))).toEqual(['c', 'b']);
      expect(ids(await deliveries.list({ owner: 'local', limit: 2, after: 'whd_b_failed' }))).toEqual(['a']);
      expect(ids(await deliveries.list({ owner: 'another', limit: 2 }))).toEqual(['d']);
    });

    test('finds those of a state, and those of a job', async () => {
      for (const id of ['a', 'b']) await ended(id);
      await deliveries.settle('whd_a_failed', attempt(), { state: 'delivered' });
      const query = { owner: 'local', limit: 10 };
      expect(ids(await deliveries.list({ ...query, state: 'delivered' }))).toEqual(['a']);
      expect(ids(await deliveries.list({ ...query, state: 'pending' }))).toEqual(['b']);
      expect(ids(await deliveries.list({ ...query, subject: 'b' }))).toEqual(['b']);
      expect(await deliveries.list({ ...query, subject: 'unknown' })).toEqual([]);
    });
  });

  describe('prune', () => {
    test('takes the deliveries with their jobs', async () => {
      await ended('a');
      await jobs.prune(time + 1);
      expect(await listed()).toEqual([]);
      expect(await deliveries.claim(all)).toEqual([]);
    });
  });
}
