import { describe, expect, it } from 'vitest';
import type { Backend, Capabilities } from '#src/engine/routing/backend.js';
import { type FailureDetails, type FailureKind, ProviderFailure } from '#src/engine/routing/failure.js';
import {
  nobodyCan,
  plan,
  type RouteRequest,
  type Standings,
  type Trying,
  tryInOrder,
} from '#src/engine/routing/router.js';

interface Traits {
  names?: string[];
  capabilities?: Capabilities;
  price?: number;
  isPaid?: boolean;
  isLastResort?: boolean;
  problem?: string;
}

function backend(model: string, traits: Traits = {}): Backend {
  return {
    id: `a/${model}`,
    provider: 'a',
    operation: 'video-generation',
    model,
    names: [],
    capabilities: { input: ['text'] },
    price: 10,
    defaults: [],
    isPaid: true,
    isLastResort: false,
    problem: null,
    run: () => Promise.reject(new Error('not run')),
    ...traits,
  };
}

const request: RouteRequest = {
  model: 'auto',
  needs: { input: 'text' },
  failover: true,
  policy: 'fixed',
  autoModel: 'kling-o3-pro',
  margin: 5,
};

const cheap = backend('cheap', { price: 1 });
const kling = backend('kling-o3-pro-t2v', { names: ['kling-o3-pro'], price: 60 });
const seedance = backend('seedance-t2v', { names: ['seedance-1.5-pro'], price: 30 });
const local = backend('local-motion-i2v', { isPaid: false, isLastResort: true, price: 0 });
const all = [cheap, seedance, kling, local];

const order = (changes: Partial<RouteRequest> = {}, standings: Standings = {}) =>
  plan({ ...request, ...changes }, all, standings).candidates.map(({ model }) => model);

describe('plan', () => {
  it('puts what `auto` stands for first and what is of last resort last', () => {
    expect(order()).toEqual(['kling-o3-pro-t2v', 'cheap', 'seedance-t2v', 'local-motion-i2v']);
  });

  it('puts the model that was asked for first, also by one of its names', () => {
    expect(order({ model: 'seedance-1.5-pro' })[0]).toBe('seedance-t2v');
    expect(order({ model: 'cheap' })[0]).toBe('cheap');
    expect(order({ model: 'local-motion-i2v' })[0]).toBe('local-motion-i2v');
  });

  it('takes the first alone without failover, and says so of the others', () => {
    const { candidates, leftOut } = plan({ ...request, failover: false }, all, {});
    expect(candidates).toEqual([kling]);
    expect(leftOut.map(({ reason }) => reason)).toEqual(Array(3).fill('`failover` is false'));
  });

  it('without failover has nobody else while the one that is meant rests, or is not there', () => {
    const rest = { until: 1_000, reason: 'It had no room' };
    const standings = { 'a/kling-o3-pro-t2v': { rest, score: null, latencyMs: null } };
    expect(plan({ ...request, failover: false }, all, standings)).toMatchObject({
      candidates: [],
      requested: 'kling-o3-pro-t2v',
    });
    const nobody = plan({ ...request, failover: false, model: 'ray-2' }, all, {});
    expect(nobody).toMatchObject({ candidates: [], requested: 'ray-2' });
    expect(plan({ ...request, model: 'ray-2' }, all, standings)).toMatchObject({ requested: 'ray-2' });
  });

  it('leaves out before it chooses: what lacks an ability, a key, or rests, each with the reason', () => {
    const backends = [
      backend('pictures only', { capabilities: { input: ['image'] } }),
      backend('no key', { problem: 'It has no key' }),
      backend('resting'),
      cheap,
    ];
    const rest = { until: 1_000, reason: 'It had no room' };
    const { candidates, leftOut } = plan(request, backends, { 'a/resting': { rest, score: null, latencyMs: null } });
    expect(candidates).toEqual([cheap]);
    expect(leftOut.map(({ backend, reason, isForNow }) => [backend.model, reason, isForNow])).toEqual([
      ['pictures only', '`input` is text, and it takes image', false],
      ['no key', 'It has no key', false],
      ['resting', 'It had no room', true],
    ]);
  });

  it('follows the policy where nothing was asked for by name', () => {
    const standings = {
      'a/cheap': { rest: null, score: 70, latencyMs: 9_000 },
      'a/seedance-t2v': { rest: null, score: 80, latencyMs: 5_000 },
    };
    const model = 'kling-o3-pro';
    expect(order({ model, policy: 'cheapest' }, standings).slice(1)).toEqual([
      'cheap',
      'seedance-t2v',
      'local-motion-i2v',
    ]);
    expect(order({ model, policy: 'latency' }, standings).slice(1)).toEqual([
      'seedance-t2v',
      'cheap',
      'local-motion-i2v',
    ]);
    expect(order({ model, policy: 'quality' }, standings).slice(1)).toEqual([
      'seedance-t2v',
      'cheap',
      'local-motion-i2v',
    ]);
  });

  describe('by quality', () => {
    const standing = (score: number) => ({ rest: null, score, latencyMs: null });
    const decision = (standings: Standings) => {
      const { candidates, choice } = plan({ ...request, policy: 'quality' }, all, standings);
      return { first: candidates[0]?.model, ...choice };
    };

    it('leaves what `auto` stands for when another is better by the margin', () => {
      expect(decision({ 'a/kling-o3-pro-t2v': standing(80), 'a/seedance-t2v': standing(85) })).toEqual({
        first: 'seedance-t2v',
        preferred: 'seedance-t2v',
        legacy: 'kling-o3-pro-t2v',
        confidenceMargin: 5,
        fallbackReason: null,
      });
    });

    it('stays when another is better by less, and says so', () => {
      expect(decision({ 'a/kling-o3-pro-t2v': standing(80), 'a/seedance-t2v': standing(84.9) })).toMatchObject({
        first: 'kling-o3-pro-t2v',
        preferred: 'seedance-t2v',
        fallbackReason: 'insufficient_margin_over_legacy',
      });
    });

    it('stays while nothing is known, and never prefers what is of last resort', () => {
      expect(decision({})).toMatchObject({ first: 'kling-o3-pro-t2v', fallbackReason: 'no_outcomes_yet' });
      const best = { 'a/kling-o3-pro-t2v': standing(50), 'a/local-motion-i2v': standing(99) };
      expect(decision(best)).toMatchObject({
        first: 'kling-o3-pro-t2v',
        preferred: 'kling-o3-pro-t2v',
        fallbackReason: null,
      });
    });

    it('is not asked when a model was', () => {
      const { choice } = plan({ ...request, model: 'cheap', policy: 'quality' }, all, {});
      expect(choice.preferred).toBeNull();
    });
  });

  it('of nobody becomes an error with every reason, and when to come back', () => {
    const rest = { until: 61_000, reason: 'It had no room' };
    const nobody = plan({ ...request, needs: { input: 'text', sound: true } }, all, {});
    expect(nobodyCan(nobody, 0)).toMatchObject({ code: 'provider_unavailable', details: {} });
    expect(nobodyCan(nobody, 0).message).toContain('seedance-t2v at a: it has no `sound`');
    const resting = plan(request, [cheap], { 'a/cheap': { rest, score: null, latencyMs: null } });
    expect(nobodyCan(resting, 1_000).details.retryAfterSeconds).toBe(60);
  });
});

describe('tryInOrder', () => {
  type Script = Record<string, (ProviderFailure | string)[]>;

  /** Backends that do what the script says, one entry after another, and what the router then did. */
  async function run(
    candidates: Backend[],
    script: Script,
    { deadline = 60_000, closed = [] as string[], accounts = {} as Record<string, boolean[]> } = {},
  ) {
    const log: string[] = [];
    let time = 0;
    const trying: Trying<string> = {
      async attempt({ model }) {
        log.push(model);
        const next = script[model]?.shift() ?? 'done';
        if (typeof next !== 'string') throw next;
        return `${next} by ${model}`;
      },
      admit: ({ model }) => !closed.includes(model),
      hasOtherAccount: ({ model }) => (accounts[model]?.shift() ?? false) as boolean,
      noted() {},
      async handOn({ failure }, { model }) {
        log.push(`${failure.kind} → ${model}`);
      },
      async wait(ms) {
        log.push(`wait ${ms}`);
        time += ms;
      },
      now: () => time,
      deadline,
    };
    const end = await tryInOrder(candidates, trying).catch((error: { code: string }) => error.code);
    return { log, end };
  }

  const failure = (kind: FailureKind, details: FailureDetails = {}) =>
    new ProviderFailure(kind, `it is ${kind}`, details);
  const three = [kling, seedance, local];

  it('hands the job on, and says of whom to whom', async () => {
    const { log, end } = await run(three, {
      'kling-o3-pro-t2v': [failure('auth')],
      'seedance-t2v': [failure('budget')],
    });
    expect(end).toBe('done by local-motion-i2v');
    expect(log).toEqual([
      'kling-o3-pro-t2v',
      'auth → seedance-t2v',
      'seedance-t2v',
      'budget → local-motion-i2v',
      'local-motion-i2v',
    ]);
  });

  it('pays nobody else once somebody may have the job', async () => {
    const lost = { 'kling-o3-pro-t2v': [failure('unknown')] };
    expect((await run(three, lost)).log).not.toContain('seedance-t2v');
    expect((await run([kling, seedance], { 'kling-o3-pro-t2v': [failure('unknown')] })).end).toBe(
      'provider_unavailable',
    );
  });

  it('tries the same again after a pause when that can help', async () => {
    const { log, end } = await run(three, { 'kling-o3-pro-t2v': [failure('transient')] });
    expect([log, end]).toEqual([['kling-o3-pro-t2v', 'wait 1000', 'kling-o3-pro-t2v'], 'done by kling-o3-pro-t2v']);
  });

  it('asks another account of the same service before another service', async () => {
    const poor = { 'kling-o3-pro-t2v': [failure('budget'), failure('auth')] };
    const { log, end } = await run(three, poor, { accounts: { 'kling-o3-pro-t2v': [true, true] } });
    expect(end).toBe('done by kling-o3-pro-t2v');
    expect(log.filter((line) => line === 'kling-o3-pro-t2v')).toHaveLength(3);
  });

  it('passes over a backend that takes nothing now', async () => {
    expect((await run(three, {}, { closed: ['kling-o3-pro-t2v'] })).end).toBe('done by seedance-t2v');
    expect((await run([kling], {}, { closed: ['kling-o3-pro-t2v'] })).end).toBe('provider_unavailable');
  });

  it('waits for room when nobody is left who has some, until the time is up', async () => {
    const full = failure('capacity', { retryAfterMs: 20_000 });
    const once = await run([kling, seedance], { 'kling-o3-pro-t2v': [full], 'seedance-t2v': [failure('auth')] });
    expect(once.end).toBe('done by kling-o3-pro-t2v');
    expect(once.log).toContain('wait 20000');
    const never = await run([kling], { 'kling-o3-pro-t2v': Array(9).fill(full) });
    expect(never.end).toBe('provider_unavailable');
    expect(never.log.filter((line) => line === 'wait 20000')).toHaveLength(2);
  });

  it.each([
    ['invalid', {}, 'invalid_input'],
    ['content', {}, 'content_policy'],
    ['stuck', { isAccepted: true }, 'timeout'],
    ['budget', {}, 'provider_unavailable'],
    ['auth', {}, 'provider_unavailable'],
    ['unknown', {}, 'provider_unavailable'],
    ['transient', { isAccepted: true }, 'provider_unavailable'],
  ] as [FailureKind, FailureDetails, string][])('%s of the last backend ends as %j %s', async (kind, details, code) => {
    expect((await run([kling], { 'kling-o3-pro-t2v': [failure(kind, details)] })).end).toBe(code);
  });

  it('lets an error that is no matter of the router through', async () => {
    const bug = new Error('a bug');
    const trying = {
      attempt: () => Promise.reject(bug),
      admit: () => true,
      hasOtherAccount: () => false,
      noted() {},
      now: () => 0,
      deadline: 1,
    };
    await expect(tryInOrder([kling], { ...trying, handOn: async () => {}, wait: async () => {} })).rejects.toBe(bug);
  });
});
