import { describe, expect, it, onTestFinished } from 'vitest';
import { openJobs } from '#src/engine/jobs/index.js';
import type { Job, JobStore } from '#src/engine/jobs/job-store.js';
import type { RemoteCall } from '#src/engine/remote/calls.js';
import { RoutingRecord } from '#src/engine/remote/routing-record.js';
import { newJob } from '../jobs/new-job.js';

const call: RemoteCall = {
  externalId: 'job_1-1',
  backend: 'kling/kling-v3-t2v',
  provider: 'kling',
  credential: 'first',
  baseUrl: 'https://kling.example',
  path: '/v1/videos/text2video',
  callbackToken: null,
  state: 'sent',
  ticket: null,
  warnings: [],
  failure: null,
  sentAt: 1,
  endedAt: null,
};

async function claimed(): Promise<{ jobs: JobStore; job: Job }> {
  const { jobs } = await openJobs({ path: ':memory:' });
  onTestFinished(() => jobs.close());
  await jobs.insert(newJob('job_1', { lane: 'remote' }));
  const [job] = await jobs.claim('remote', 1, 60_000);
  return { jobs, job: job as Job };
}

describe('a RoutingRecord', () => {
  it('is in the row of the job before anything goes on', async () => {
    const { jobs, job } = await claimed();
    const record = new RoutingRecord(jobs, job);
    await record.open(call);
    expect((await jobs.get('job_1'))?.routing?.calls).toEqual([call]);
    const ticket = { id: 'kling-1', path: call.path };
    await record.change(call.externalId, { state: 'accepted', ticket });
    await record.set({ actual: 'kling-v3-t2v' });
    expect((await jobs.get('job_1'))?.routing).toMatchObject({
      actual: 'kling-v3-t2v',
      calls: [{ state: 'accepted', ticket }],
    });
  });

  it('goes on from what an earlier attempt has left', async () => {
    const { jobs, job } = await claimed();
    await new RoutingRecord(jobs, job).open(call);
    await jobs.release(job);
    const [again] = await jobs.claim('remote', 1, 60_000);
    const record = new RoutingRecord(jobs, again as Job);
    await record.open({ ...call, externalId: 'job_1-2' });
    expect(record.calls().map(({ externalId }) => externalId)).toEqual(['job_1-1', 'job_1-2']);
  });

  it('stops an attempt whose job another one has: nothing may be sent that is not noted', async () => {
    const { jobs, job } = await claimed();
    await jobs.release(job);
    await expect(new RoutingRecord(jobs, job).open(call)).rejects.toMatchObject({ code: 'interrupted' });
    expect((await jobs.get('job_1'))?.routing).toBeNull();
  });
});
