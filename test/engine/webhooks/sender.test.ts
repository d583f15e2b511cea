import { createAddressGuard } from '#src/engine/downloads/address-guard.js';
import { openJobs } from '#src/engine/jobs/index.js';
import { silentLog } from '#src/engine/log.js';
import { createPost } from '#src/engine/webhooks/post.js';
import { type SenderParts, WebhookSender } from '#src/engine/webhooks/sender.js';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Receiver, startReceiver } from '../../helpers/receiver.js';
import { until } from '../../helpers/until.js';
import { newJob } from '../jobs/new-job.js';

/** The real stores and a real post to these receivers; attempts follow one another in hundredths of a second. */
async function startSender(receivers: Receiver[], overrides: Partial<SenderParts> = {}) {
  const { jobs, deliveries } = await openJobs({ path: ':memory:' });
  const outcomes: string[] = [];
  const open = () =>
    new WebhookSender({
      deliveries,
      post: createPost({ guard: createAddressGuard(receivers.map(({ host }) => host)), timeoutMs: 1_000 }),
      write: async ({ subject }) => ({ event: 'e', body: { id: subject }, secret: 'a secret' }),
      schedule: [0, 0.01, 0.03],
      meter: { webhookAttempt: (outcome) => outcomes.push(outcome) },
      log: silentLog,
      ...overrides,
    });
  const sender = open();
  await sender.start();
  onTestFinished(async () => {
    await sender.close(0);
    await jobs.close();
  });
  return {
    sender,
    open,
    outcomes,
    async end(id: string, { url }: Receiver) {
      await jobs.insert(newJob(id, { webhook: { url, baseUrl: 'http://here', sealedSecret: null } }));
      await jobs.cancel(id);
    },
    ended: (id: string) =>
      until(async () => {
        const delivery = await deliveries.get(`whd_${id}_failed`);
        return delivery && delivery.state !== 'pending' ? delivery : null;
      }, `the delivery of ${id} ended`),
  };
}

describe('a delivery', () => {
  it('is made as soon as its job has ended', async () => {
    const receiver = await startReceiver(200);
    const { end, ended, outcomes } = await startSender([receiver]);
    await end('a', receiver);
    expect(await ended('a')).toMatchObject({ state: 'delivered', attempts: [{ status: 200, error: null }] });
    expect(receiver.letters).toHaveLength(1);
    expect(receiver.letters[0]).toMatchObject({ body: '{"id":"a"}', headers: { 'webhook-id': 'whd_a_failed' } });
    expect(outcomes).toEqual(['delivered']);
  });

  it('is tried again until the receiver takes it, with the same id', async () => {
    const receiver = await startReceiver(500, 503, 202);
    const { end, ended, outcomes } = await startSender([receiver]);
    await end('a', receiver);
    const { attempts } = await ended('a');
    expect(attempts.map(({ status, error }) => [status, error])).toEqual([
      [500, 'The receiver answered 500'],
      [503, 'The receiver answered 503'],
      [202, null],
    ]);
    expect(new Set(receiver.letters.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    expect(outcomes).toEqual(['failed', 'failed', 'delivered']);
  });

  it('is given up after the last time of the schedule', async () => {
    const receiver = await startReceiver(500);
    const { end, ended } = await startSender([receiver]);
    await end('a', receiver);
    expect(await ended('a')).toMatchObject({ state: 'exhausted', tries: 3 });
    expect(receiver.letters).toHaveLength(3);
  });

  it('is not tried again where nobody waits any more', async () => {
    const receiver = await startReceiver(404);
    const { end, ended } = await startSender([receiver]);
    await end('a', receiver);
    expect(await ended('a')).toMatchObject({ state: 'gone', tries: 1 });
  });

  it('says where a redirect points to, and goes nowhere', async () => {
    const receiver = await startReceiver((response) => response.writeHead(301, { location: '/moved' }).end());
    const { end, ended } = await startSender([receiver]);
    await end('a', receiver);
    const { attempts } = await ended('a');
    expect(attempts[0]?.error).toBe('The receiver answered 301 and points to /moved: redirects are not followed');
    expect(receiver.letters.map(({ path }) => path)).toEqual(['/hook', '/hook', '/hook']);
  });

  it('fails, and ends nothing else, when its words cannot be found', async () => {
    const receiver = await startReceiver();
    const { end, ended } = await startSender([receiver], {
      schedule: [0],
      write: async () => {
        throw new Error('a bug');
      },
    });
    await end('a', receiver);
    expect(await ended('a')).toMatchObject({
      state: 'exhausted',
      attempts: [{ status: null, error: 'Internal error' }],
    });
  });
});

describe('a slow receiver', () => {
  it('keeps nobody waiting but itself, and has no more than eight letters at a time', async () => {
    const held: (() => void)[] = [];
    const slow = await startReceiver((response) => held.push(() => response.end()));
    const quick = await startReceiver(200);
    const { end, ended } = await startSender([slow, quick]);
    const ids = Array.from({ length: 20 }, (_, index) => `slow_${index}`);
    for (const id of ids) await end(id, slow);
    await slow.got(8);
    await end('quick', quick);
    expect(await ended('quick')).toMatchObject({ state: 'delivered' });
    expect(slow.letters).toHaveLength(8);
    const answering = setInterval(() => {
      for (const answer of held.splice(0)) answer();
    }, 5);
    for (const id of ids) expect(await ended(id)).toMatchObject({ state: 'delivered' });
    clearInterval(answering);
  });
});

describe('close', () => {
  it('leaves what it could not end to the next start, and counts no try for it', async () => {
    const receiver = await startReceiver(
      () => {},
      (response) => response.end(),
    );
    const { end, ended, sender, open } = await startSender([receiver]);
    await end('a', receiver);
    await receiver.got(1);
    await sender.close(0);
    const next = open();
    await next.start();
    expect(await ended('a')).toMatchObject({ state: 'delivered', tries: 1 });
    await next.close(0);
  });

  it('lets what is under way end', async () => {
    const receiver = await startReceiver((response) => setTimeout(() => response.end(), 100));
    const { end, ended, sender } = await startSender([receiver]);
    await end('a', receiver);
    await receiver.got(1);
    await sender.close(5_000);
    expect(await ended('a')).toMatchObject({ state: 'delivered' });
  });
});
