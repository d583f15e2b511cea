import { describe, expect, it } from 'vitest';
import { EngineError } from '#src/engine/errors.js';
import { ProviderFailure, type FailureKind } from '#src/engine/routing/failure.js';
import type { Order, PictureRole } from '#src/engine/routing/order.js';
import type { Provider } from '#src/engine/providers/provider.js';
import type { Fault } from '../../fakes/fake-service.js';
import type { Received, Refusal, Wire } from '../../fakes/wire.js';
import { until } from '../../helpers/until.js';
import { type BenchOptions, type ServiceBench, serviceBench, withPictures } from './service-bench.js';

type Lost = 'lost with a 500' | 'lost with the connection' | 'answer in another shape';

/** What becomes of lost answers where nobody can tell whether the service has the job. */
export const unknowable: Record<Lost, FailureKind> = {
  'lost with a 500': 'unknown',
  'lost with the connection': 'unknown',
  'answer in another shape': 'unknown',
};

/** The same where failures are known not to be billed. */
export const failuresAreFree: Record<Lost, FailureKind> = { ...unknowable, 'lost with a 500': 'transient' };

/** One order and the exact request that it becomes. */
export interface RequestCase {
  name: string;
  model: string;
  order: Order;
  pictures?: readonly PictureRole[];
  request: Partial<Pick<Received, 'path' | 'query' | 'json' | 'form'>> & { headers?: Record<string, string> };
  warnings?: string[];
}

export interface ProviderCase {
  provider: Provider;
  wire: Wire;
  /** Model and order that the faults are tried with. */
  model: string;
  order: Order;
  pictures?: readonly PictureRole[];
  requests: RequestCase[];
  /** Whether the answer to a submission is the result itself. */
  isSync?: boolean;
  /** What its refusals are taken for, where that is not what they are; null: it has no such answer. */
  refusals?: Partial<Record<Refusal, FailureKind | null>>;
  /** What a job that it failed for lack of room is taken for. */
  lateCapacity?: FailureKind;
  /** What a submission becomes whose answer was lost: `found` again, or the kind of its failure. */
  lost: Record<Lost, 'found' | FailureKind>;
  /** It has no way to cancel a job. */
  cannotCancel?: boolean;
  /** Whether results come within answers, so that there is nothing to fetch. */
  isInline?: boolean;
  /** The address at which a service could fetch pictures. */
  publicBaseUrl?: string;
}

/** What every provider does, over the real wire to its fake. */
export function providerContract(suite: ProviderCase): void {
  const { provider, wire, isSync = false } = suite;
  const open = (more: Partial<BenchOptions> = {}) =>
    serviceBench({ provider, wire, publicBaseUrl: suite.publicBaseUrl ?? null, ...more });
  const order = withPictures(suite.order, suite.pictures ?? []);
  const run = (bench: ServiceBench, options = {}) => bench.run(suite.model, order, options);
  const failure = async (bench: ServiceBench, options = {}) => {
    const thrown = await run(bench, options).made.then(
      () => null,
      (error: unknown) => error,
    );
    expect(thrown).toBeInstanceOf(ProviderFailure);
    return thrown as ProviderFailure;
  };

  describe('a submission', () => {
    it.each(suite.requests)('$name', async ({ model, order, pictures = [], request, warnings = [] }) => {
      const bench = await open();
      const made = await bench.run(model, withPictures(order, pictures), {}).made;
      const [{ headers = {}, ...sent } = {} as Partial<Received>] = bench.fake.submissions;
      const { headers: wanted = {}, ...exact } = request;
      expect(normal(sent)).toMatchObject({ method: 'POST', ...exact });
      if (exact.json) expect(normal(sent.json)).toEqual(exact.json);
      if (exact.form) expect(sent.form).toEqual(exact.form);
      expect(headers).toMatchObject(wanted);
      expect(made.warnings).toEqual(warnings);
    });

    it('is noted with the account and the path before it is answered, and with its id before anything else', async () => {
      const bench = await open();
      if (!isSync) bench.fake.faults.push('never ends');
      const running = run(bench, { deadlineMs: isSync ? 20_000 : 100 });
      await running.made.catch(() => {});
      const { id } = await running.job;
      const [call] = (await bench.jobs.get(id))?.routing?.calls ?? [];
      const path = bench.fake.submissions[0]?.path;
      expect(call).toMatchObject({ provider: provider.name, credential: 'first', baseUrl: bench.fake.url, path });
      if (!isSync) expect(call?.ticket?.id).toContain(`${provider.name}-job-1`);
      expect(JSON.stringify(call)).not.toContain('fake-key');
    });
  });

  describe('a job', () => {
    it('is followed to its end, and its result is fetched without the key', async () => {
      const bench = await open();
      const running = run(bench);
      const { outputs } = await running.made;
      const format = wire.makes === 'clip' ? 'mp4' : 'png';
      expect(outputs).toMatchObject([{ format }]);
      expect((await running.record).routing.calls).toMatchObject([{ state: 'done' }]);
      expect(bench.fake.billed).toBe(1);
      expect(bench.fake.resultKeys).toEqual(bench.fake.resultKeys.map(() => null));
    });

    if (isSync) return; // Its result is the answer: there is nothing to follow.

    it('goes on through looks that fail', async () => {
      const bench = await open();
      bench.fake.lookFaults.push(500, 429, 503);
      expect((await run(bench).made).outputs).toHaveLength(1);
      expect(bench.fake.billed).toBe(1);
    });

    it('is taken up again by another attempt, and not submitted twice', async () => {
      const bench = await open();
      bench.fake.faults.push('never ends');
      const stop = new AbortController();
      const first = run(bench, { signal: stop.signal });
      await until(() => bench.fake.received.length > 2, 'the job was looked at');
      stop.abort(new EngineError('interrupted', 'The server is stopping'));
      await expect(first.made).rejects.toMatchObject({ code: 'interrupted' });
      bench.fake.heal();
      const job = await bench.jobs.get((await first.job).id);
      expect(job?.routing?.calls).toMatchObject([{ state: 'accepted' }]);
      expect((await run(bench, { job }).made).outputs).toHaveLength(1);
      expect(bench.fake.submissions).toHaveLength(1);
    });

    if (!suite.cannotCancel)
      it('is cancelled at the service when the caller cancels it', async () => {
        const bench = await open();
        bench.fake.faults.push('never ends');
        const stop = new AbortController();
        const running = run(bench, { signal: stop.signal });
        await until(() => bench.fake.received.length > 2, 'the job was looked at');
        stop.abort(new EngineError('cancelled', 'The job was cancelled'));
        await expect(running.made).rejects.toMatchObject({ code: 'cancelled' });
        expect([...bench.fake.jobs.values()]).toMatchObject([{ state: 'cancelled' }]);
        expect((await running.record).routing.calls).toMatchObject([{ state: 'cancelled' }]);
      });

    it('that does not end in time is stuck', async () => {
      const bench = await open();
      bench.fake.faults.push('never ends');
      expect(await failure(bench, { deadlineMs: 50 })).toMatchObject({ kind: 'stuck', details: { isAccepted: true } });
      if (!suite.cannotCancel) expect([...bench.fake.jobs.values()]).toMatchObject([{ state: 'cancelled' }]);
    });
  });

  describe('a refusal', () => {
    const refusals = ['capacity', 'content', 'budget', 'auth', 'invalid'] as const;
    const told = refusals.filter((refusal) => suite.refusals?.[refusal] !== null);
    it.each(told)('for %s is told from the others', async (refusal) => {
      const bench = await open();
      bench.fake.faults.push({ refuse: refusal, retryAfterSeconds: 7 });
      const { kind, details } = await failure(bench);
      expect(kind).toBe(suite.refusals?.[refusal] ?? refusal);
      expect(details.isAccepted ?? false).toBe(false);
      if (refusal === 'capacity' && provider.name !== 'replicate') expect(details.retryAfterMs).toBe(7_000);
      expect(bench.fake.billed).toBe(0);
    });

    it('of the key itself is told too', async () => {
      const bench = await open({ credentials: [{ name: 'wrong', key: 'wrong' }] });
      expect((await failure(bench)).kind).toBe('auth');
      expect(bench.fake.billed).toBe(0);
    });
  });

  describe('a fault', () => {
    it.each(Object.entries(suite.lost) as [Lost, string][])(
      '%s: %s, and at most one job is billed',
      async (fault, expected) => {
        const bench = await open();
        bench.fake.faults.push(fault);
        if (expected === 'found') expect((await run(bench).made).outputs).toHaveLength(1);
        else expect((await failure(bench)).kind).toBe(expected);
        expect(bench.fake.billed).toBe(1);
        expect(bench.fake.submissions).toHaveLength(1);
      },
    );

    const endings: [Fault, FailureKind][] = [
      [{ end: 'failed' }, 'transient'],
      [{ end: 'content' }, 'content'],
      [{ end: 'capacity' }, suite.lateCapacity ?? 'capacity'],
      [{ end: 'empty' }, 'transient'],
    ];
    if (!isSync)
      it.each(endings)('%j of a job that was taken', async (fault, kind) => {
        const bench = await open();
        bench.fake.faults.push(fault);
        expect(await failure(bench)).toMatchObject({ kind, details: { isAccepted: true } });
      });

    if (!suite.isInline)
      it.each(['result expired', 'result is no media'] as const)('%s: paid for, and nothing to show', async (fault) => {
        const bench = await open();
        bench.fake.faults.push(fault);
        expect(await failure(bench)).toMatchObject({ kind: 'unknown', details: { isAccepted: true } });
        expect(bench.fake.submissions).toHaveLength(1);
      });

    if (!suite.isInline && !isSync)
      it('asks for another address of the result where the first one has expired', async () => {
        const bench = await open();
        bench.fake.faults.push('first address expired');
        expect((await run(bench).made).outputs).toHaveLength(1);
        expect(bench.fake.submissions).toHaveLength(1);
      });
  });
}

/** Base64 of the fixture's photograph is long: its place is enough. */
function normal(value: unknown): unknown {
  const text = JSON.stringify(value);
  return JSON.parse(text.replace(/(data:image\/jpeg;base64,)?\/9j\/[A-Za-z0-9+/=]{200,}/g, '$1<photo>'));
}
