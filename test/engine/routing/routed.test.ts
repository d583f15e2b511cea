import { describe, expect, it } from 'vitest';
import type { Job } from '#src/engine/jobs/job-store.js';
import { debugBlock } from '#src/engine/routing/routing.js';
import type { FakeService, Fault } from '../../fakes/fake-service.js';
import { fakeKey } from '../../fakes/wire.js';
import { tempFolder } from '../../helpers/temp-folder.js';
import { until } from '../../helpers/until.js';
import { pixel, providersJson, routedEngine } from './routed-engine.js';

const text = { prompt: 'A ring turns on a stone' };
const picture = [{ field: 'image', url: pixel }];

/** Who made it, how it ended, and what it cost where. */
function told(job: Job) {
  const { submission_failover_used, async_capacity_failover_attempted } = debugBlock(job.routing) ?? {};
  return {
    end: job.state === 'failed' ? job.error?.code : job.state,
    by: job.result?.modelActual ?? null,
    failover: submission_failover_used ? 'submission' : async_capacity_failover_attempted ? 'async' : null,
  };
}

/** What is asked, what the first service (Kling) does with it, and what becomes of it with Ark and this machine behind it. */
const matrix: [
  asked: 'text' | 'picture' | 'text, no failover',
  fault: Fault | null,
  end: string,
  by: string | null,
  failover: string | null,
  billed: [kling: number, ark: number],
][] = [
  ['text', null, 'completed', 'kling-o3-pro-t2v', null, [1, 0]],
  ['picture', null, 'completed', 'kling-o3-pro-i2v', null, [1, 0]],
  ['text', { refuse: 'invalid' }, 'invalid_input', null, null, [0, 0]],
  ['picture', { refuse: 'invalid' }, 'invalid_input', null, null, [0, 0]],
  ['text', { refuse: 'content' }, 'content_policy', null, null, [0, 0]],
  ['picture', { refuse: 'content' }, 'content_policy', null, null, [0, 0]],
  ['text', { refuse: 'capacity' }, 'completed', 'kling-v3-t2v', 'submission', [1, 0]],
  ['picture', { refuse: 'capacity' }, 'completed', 'kling-v3-i2v', 'submission', [1, 0]],
  ['text', { refuse: 'budget' }, 'completed', 'seedance-t2v', 'submission', [0, 1]],
  ['picture', { refuse: 'budget' }, 'completed', 'seedance-i2v', 'submission', [0, 1]],
  ['text', { refuse: 'auth' }, 'completed', 'seedance-t2v', 'submission', [0, 1]],
  ['text, no failover', { refuse: 'auth' }, 'provider_unavailable', null, null, [0, 0]],
  ['text, no failover', { refuse: 'budget' }, 'provider_unavailable', null, null, [0, 0]],
  ['text', { status: 503 }, 'completed', 'kling-o3-pro-t2v', null, [1, 0]],
  ['text', 'lost with a 500', 'completed', 'kling-o3-pro-t2v', null, [1, 0]],
  ['picture', 'lost with the connection', 'completed', 'kling-o3-pro-i2v', null, [1, 0]],
  ['text', { end: 'failed' }, 'completed', 'kling-v3-t2v', 'async', [2, 0]],
  ['picture', { end: 'capacity' }, 'completed', 'kling-v3-i2v', 'async', [2, 0]],
  ['text', { end: 'content' }, 'content_policy', null, null, [1, 0]],
  ['text', { end: 'empty' }, 'completed', 'kling-v3-t2v', 'async', [2, 0]],
  ['text', 'result expired', 'provider_unavailable', null, null, [1, 0]],
  ['picture', 'result expired', 'completed', 'local-motion-i2v', 'async', [1, 0]],
  ['picture', 'result is no media', 'completed', 'local-motion-i2v', 'async', [1, 0]],
];

describe('a job with Kling, Ark and this machine to do it', () => {
  it.each(matrix)('%s, %j at Kling: %s by %s', async (asked, fault, end, by, failover, billed) => {
    const { fakes, make } = await routedEngine({ services: ['kling', 'ark'] });
    if (fault !== null) fakes.kling?.faults.push(fault);
    const params = { ...text, ...(asked === 'text, no failover' && { failover: false }) };
    const job = await make(params, asked === 'picture' ? picture : []);
    expect(told(job)).toEqual({ end, by, failover });
    expect([fakes.kling?.billed, fakes.ark?.billed]).toEqual(billed);
  });
});

/** The same where nobody can tell whether the service has the job, and no other service is there. */
const lost: [asked: 'text' | 'picture', fault: Fault, end: string, by: string | null][] = [
  ['text', 'lost with a 500', 'provider_unavailable', null],
  ['text', 'lost with the connection', 'provider_unavailable', null],
  ['text', 'answer in another shape', 'provider_unavailable', null],
  ['picture', 'lost with a 500', 'completed', 'local-motion-i2v'],
  ['picture', 'lost with the connection', 'completed', 'local-motion-i2v'],
  ['picture', 'answer in another shape', 'completed', 'local-motion-i2v'],
];

describe('a job with Ark and this machine to do it', () => {
  it.each(lost)('%s, %j: %s by %s, and one job is billed', async (asked, fault, end, by) => {
    const { fakes, make } = await routedEngine({ services: ['ark'] });
    fakes.ark?.faults.push(fault);
    expect(told(await make(text, asked === 'picture' ? picture : []))).toMatchObject({ end, by });
    expect([fakes.ark?.billed, fakes.ark?.submissions.length]).toEqual([1, 1]);
  });
});

describe('a job of several backends', () => {
  it('has all that the debug block shows, from the first decision on', async () => {
    const { fakes, make } = await routedEngine({ services: ['kling', 'ark'] });
    fakes.kling?.faults.push({ end: 'failed' }, { refuse: 'budget' });
    const job = await make(text);
    expect(debugBlock(job.routing)).toMatchObject({
      provider_requested: 'kling-o3-pro-t2v',
      provider_actual: 'seedance-t2v',
      submission_failover_used: true,
      submission_failover_reason: 'kling-v3-t2v: Kling refused (1102): Account balance not enough',
      async_capacity_failover_attempted: true,
      async_capacity_failover_reason: 'kling-o3-pro-t2v: Kling failed: internal error',
      prediction_id_original: 'kling-job-1',
      prediction_id_current: 'ark-job-1',
    });
    expect(job.result).toMatchObject({ modelActual: 'seedance-t2v', outputs: [{ format: 'mp4' }] });
  });

  it('is refused at the door when nobody could do it, with the reason of each', async () => {
    const { make } = await routedEngine({ services: [] });
    await expect(make(text)).rejects.toMatchObject({
      code: 'provider_unavailable',
      message: expect.stringContaining('local-motion-i2v at local: `input` is text, and it takes image'),
    });
  });

  it('is refused at the door for a model that nobody knows', async () => {
    const { make } = await routedEngine({ services: ['kling'] });
    await expect(make({ ...text, model: 'klingon' })).rejects.toMatchObject({
      code: 'invalid_input',
      details: { param: 'model' },
    });
  });

  it('that asks for a model without a key is done by another, unless it says not to', async () => {
    const { make } = await routedEngine({ services: ['kling'] });
    expect((await make({ ...text, model: 'seedance-1.5-pro' })).result?.modelActual).toBe('kling-o3-pro-t2v');
    expect((await make({ ...text, model: 'kling-v3-i2v' })).result?.modelActual).toBe('kling-v3-t2v');
  });

  it('says at the door whom it will go to, and that it went to another when it did', async () => {
    const { fakes, engine, make } = await routedEngine({ services: ['kling', 'ark'] });
    const submission = { operation: 'video-generation', owner: 'local', params: text, inputs: [] };
    const { job } = await engine.submit(submission);
    expect(job.routing).toMatchObject({ requested: 'kling-o3-pro-t2v', actual: null, calls: [] });
    await until(async () => (await engine.get(job.id)).state === 'completed', 'the job is done');
    fakes.kling?.faults.push({ refuse: 'budget' });
    await make(text);
    const rested = await make(text);
    expect(rested.routing).toMatchObject({
      requested: 'kling-o3-pro-t2v',
      actual: 'seedance-t2v',
      submissionFailover: 'kling-o3-pro-t2v: Kling refused (1102): Account balance not enough',
    });
    const unknown = await make({ ...text, model: 'ray-2' });
    expect(unknown.routing).toMatchObject({
      requested: 'ray-2',
      submissionFailover: 'ray-2: no backend of this name is configured',
    });
  });

  it('asks its other account before another service', async () => {
    const { make, engine } = await routedEngine({ services: ['kling', 'ark'], keys: ['wrong', fakeKey] });
    const made = [await make(text), await make(text)];
    expect(made.map(told)).toEqual(Array(2).fill({ end: 'completed', by: 'kling-o3-pro-t2v', failover: null }));
    const [kling] = await engine.backends();
    expect(kling?.health.credentials.map(({ rest }) => rest?.until)).toEqual([null, undefined]);
  });

  it('goes to whom it fits: a ratio that Kling does not have to Seedance', async () => {
    const { fakes, make } = await routedEngine({ services: ['kling', 'ark'] });
    const job = await make({ ...text, aspect_ratio: '21:9', resolution: '480p' });
    expect(told(job)).toEqual({ end: 'completed', by: 'seedance-t2v', failover: null });
    expect(fakes.kling?.received).toEqual([]);
  });

  it('leaves a service alone in which nothing is left to spend', async () => {
    const { fakes, make, engine } = await routedEngine({ services: ['kling'] });
    fakes.kling?.faults.push({ refuse: 'budget' });
    await expect(make({ ...text, model: 'kling-v3', failover: false })).resolves.toMatchObject({ state: 'failed' });
    const statuses = await engine.backends();
    expect(statuses.find(({ backend }) => backend.model === 'kling-o3-pro-t2v')?.health.rest?.reason).toMatch(
      /balance/,
    );
    await expect(make(text)).resolves.toMatchObject({ state: 'failed', error: { code: 'provider_unavailable' } });
  });

  it('is left at the service when the server stops, at once, and taken up by the next', async () => {
    const folder = await tempFolder();
    const first = await routedEngine({ services: ['ark'], folder });
    const ark = first.fakes.ark as FakeService;
    ark.faults.push('never ends');
    const { job } = await first.engine.submit({
      operation: 'video-generation',
      owner: 'local',
      params: text,
      inputs: [],
    });
    await until(() => ark.received.length > 2, 'the job is looked at');
    // Much longer than the test may take.
    await first.engine.close(600_000);
    ark.heal();
    const next = await routedEngine({ services: [], folder, env: { DARKROOM_PROVIDERS: providersJson({ ark }) } });
    await until(async () => (await next.engine.get(job.id)).state === 'completed', 'the job is taken up');
    expect(await next.engine.get(job.id)).toMatchObject({ attempt: 1, interruptions: 0 });
    expect(ark.submissions).toHaveLength(1);
  });

  it('that is cancelled is cancelled at the service', async () => {
    const { fakes, engine } = await routedEngine({ services: ['ark'] });
    fakes.ark?.faults.push('never ends');
    const { job } = await engine.submit({ operation: 'video-generation', owner: 'local', params: text, inputs: [] });
    await until(() => (fakes.ark?.received.length ?? 0) > 2, 'the job is looked at');
    await engine.cancel(job.id);
    await until(async () => (await engine.get(job.id)).state === 'cancelled', 'the job is cancelled');
    expect([...(fakes.ark?.jobs.values() ?? [])]).toMatchObject([{ state: 'cancelled' }]);
  });

  it('that nobody ends in time has timed out, and is cancelled everywhere', async () => {
    const { fakes, make } = await routedEngine({ services: ['ark'], env: { DARKROOM_JOB_SECONDS: '1' } });
    fakes.ark?.faults.push('never ends', 'never ends');
    const job = await make(text);
    expect(job).toMatchObject({ state: 'failed', error: { code: 'timeout' } });
    expect([...(fakes.ark?.jobs.values() ?? [])].every(({ state }) => state === 'cancelled')).toBe(true);
  });

  it('is tried once more by the submitter’s leave when all have failed', async () => {
    const { fakes, engine, make } = await routedEngine({ services: ['ark'] });
    fakes.ark?.faults.push({ end: 'failed' }, { end: 'failed' }, { end: 'failed' }, { end: 'failed' });
    expect((await make(text)).attempt).toBe(1);
    fakes.ark?.faults.splice(0, 9, { end: 'failed' }, { end: 'failed' });
    const submission = { operation: 'video-generation', owner: 'local', params: text, inputs: [], autoRetry: true };
    const { job } = await engine.submit(submission);
    await until(async () => (await engine.get(job.id)).state === 'completed', 'the second attempt went well');
    expect(await engine.get(job.id)).toMatchObject({ attempt: 2 });
  });

  it('learns from what users say', async () => {
    const { engine, make } = await routedEngine({ services: ['ark'] });
    const { id } = await make(text);
    await until(async () => engine.rate(id, 1), 'the outcome is stored');
    const statuses = await engine.backends();
    expect(statuses.find(({ backend }) => backend.model === 'seedance-t2v')).toMatchObject({
      outcomes: 1,
      successes: 1,
    });
    expect(await engine.rate('vgen_unknown', 1)).toBe(false);
  });
});
