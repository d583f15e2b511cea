import type { Meter } from '../api.js';
import type { Backend, BackendRun, Made } from './backend.js';
import { EngineError } from '../errors.js';
import { type FailureKind, ProviderFailure } from './failure.js';
import type { Fleet } from './fleet.js';
import type { HealthBook } from './health.js';
import type { Job, JobStore } from '../jobs/job-store.js';
import type { OutcomeStore } from '../jobs/outcome-store.js';
import type { Log } from '../log.js';
import type { Operation } from '../operations/operation.js';
import { needsOf, type Order } from './order.js';
import { isLost, isOpen } from '../remote/calls.js';
import { RoutingRecord } from '../remote/routing-record.js';
import { noRouting, type Routing } from './routing.js';
import {
  isNamed,
  nobodyCan,
  type Plan,
  plan,
  type Policy,
  type RouteRequest,
  type Setback,
  tryInOrder,
} from './router.js';

export interface RouteSettings {
  policy: Policy;
  /** What `auto` stands for. */
  autoModel: string;
  margin: number;
}

export interface RoutedParts {
  fleet: Fleet;
  health: HealthBook;
  wait(ms: number, signal: AbortSignal): Promise<void>;
  jobs: JobStore;
  outcomes: OutcomeStore;
  settings: RouteSettings;
  /** Every name of a model for this operation that any service has, configured or not. */
  knownModels(operation: string): readonly string[];
  meter: Pick<Meter, 'backendAttempt'>;
  log: Log;
  now(): number;
}

/** What an attempt has at hand. */
export type Prepared = Omit<BackendRun, 'order' | 'ledger' | 'deadline'>;

/** A backend gets this part of the time that is left while there are others to try after it. */
const shareOfTime = 0.7;
/** What only the owner can set right. */
const needsOwner: readonly FailureKind[] = ['budget', 'auth'];
/** What a job that a restart takes up again gets at least, however late it is: it is paid for. */
const graceMs = 30_000;

/** An operation that says what it asks of a backend. */
export type RoutedOperation = Operation & Required<Pick<Operation, 'order'>>;

/** Whether jobs of this operation are the router's business. */
export function isRouted(operation: Operation): operation is RoutedOperation {
  return operation.order !== undefined;
}

/**
 * What is decided at the door: which backend the job will go to first, as far as one can say now. Null for an operation
 * that the router has no say in. Errors: `invalid_input` for a model that is not known, `provider_unavailable` with the
 * reason of each backend when nobody could do it.
 */
export async function planRoute(
  operation: Operation,
  params: Record<string, unknown>,
  { inputs, parts }: { inputs: readonly { field: string }[]; parts: RoutedParts },
): Promise<Routing | null> {
  if (!isRouted(operation)) return null;
  checkModel(String(params.model ?? 'auto'), operation, parts);
  const order = operation.order(operation.params.parse(params), inputs);
  const planned = await planFor({ operation: operation.name, params, order }, parts);
  // What only rests will have come back when the job's turn comes, or the job waits for it.
  const willComeBack = planned.leftOut.some(({ rest }) => rest !== null && rest.until !== null);
  if (planned.candidates.length === 0 && !willComeBack) throw nobodyCan(planned, parts.now());
  return { ...noRouting, requested: planned.requested, choice: planned.choice };
}

function checkModel(model: string, { name }: Operation, { fleet, knownModels }: RoutedParts): void {
  if (model === 'auto' || knownModels(name).includes(model)) return;
  const backends = fleet.of(name);
  if (backends.some((backend) => isNamed(backend, model))) return;
  const names = new Set(['auto', ...backends.flatMap((backend) => [...backend.names, backend.model])]);
  const message = `Expected \`model\` to be one of ${[...names].join(', ')}, got "${model.slice(0, 100)}"`;
  throw new EngineError('invalid_input', message, { param: 'model' });
}

interface Routable {
  operation: string;
  params: Record<string, unknown>;
  order: Order;
}

async function planFor({ operation, params, order }: Routable, { fleet, settings }: RoutedParts): Promise<Plan> {
  const request: RouteRequest = {
    model: String(params.model ?? 'auto'),
    needs: needsOf(order),
    failover: params.failover !== false,
    ...settings,
  };
  return plan(request, fleet.of(operation), await fleet.standings());
}

/**
 * Does the job on the first of the backends that can. Submissions of earlier attempts are taken up first, and where one
 * was lost nobody else is paid. Errors: those of `tryInOrder`.
 */
export async function runRouted(
  job: Job,
  { operation, prepared, parts }: { operation: RoutedOperation; prepared: Prepared; parts: RoutedParts },
): Promise<Made & { modelActual: string }> {
  const record = new RoutingRecord(parts.jobs, job);
  const order = operation.order(operation.params.parse(job.params), job.inputs);
  const deadline = deadlineOf(job, record, parts.now());
  const wait = (ms: number) => parts.wait(ms, prepared.signal);
  const attached = record.calls().findLast(isOpen)?.backend;
  const candidates = await chooseCandidates(job, { order, record, deadline, wait, parts });
  const attempt = new RoutedAttempt({ job, order, record, deadline, candidates, prepared, parts });
  return tryInOrder(candidates, {
    attempt: (backend) => attempt.run(backend),
    // What was submitted before is looked at whatever is known of the service.
    admit: (backend) => backend.id === attached || parts.health.admit(backend.id),
    hasOtherAccount: (backend) => parts.fleet.hasRestedAccount(backend),
    noted: (backend, failure) => attempt.note(backend, failure),
    handOn: (setback, next) => attempt.handOn(setback, next),
    wait,
    now: parts.now,
    deadline,
  });
}

/** A restart does not give a job more time, but what was submitted before is looked at in any case: it is paid for. */
function deadlineOf(job: Job, record: RoutingRecord, now: number): number {
  const begun = Math.min(record.calls()[0]?.sentAt ?? now, job.startedAt ?? now);
  const deadline = begun + job.timeoutMs;
  return record.calls().some(isOpen) ? Math.max(deadline, now + graceMs) : deadline;
}

interface Choosing {
  order: Order;
  record: RoutingRecord;
  deadline: number;
  wait(ms: number): Promise<void>;
  parts: RoutedParts;
}

async function chooseCandidates(job: Job, { order, record, deadline, wait, parts }: Choosing): Promise<Backend[]> {
  const { operation, params } = job;
  const open = record.calls().findLast(isOpen);
  const attached = parts.fleet.backends.find(({ id }) => id === open?.backend);
  if (open && !attached) await record.change(open.externalId, { state: 'unknown', endedAt: parts.now() });
  const isPaidOver = record.calls().some(isLost);
  for (;;) {
    const planned = await planFor({ operation, params, order }, parts);
    const allowed = planned.candidates.filter((each) => each !== attached && !(isPaidOver && each.isPaid));
    const candidates = attached ? [attached, ...(params.failover === false ? [] : allowed)] : allowed;
    const back = Math.min(...planned.leftOut.flatMap(({ rest }) => rest?.until ?? []));
    if (candidates.length > 0) {
      await decideFirst(candidates[0] as Backend, planned, record);
      return candidates;
    }
    if (isPaidOver || !Number.isFinite(back) || back >= deadline) throw nobodyCan(planned, parts.now());
    await wait(Math.max(100, back - parts.now()));
  }
}

/** What was decided at the door stays so; that it goes to another now is a failover. */
async function decideFirst(first: Backend, planned: Plan, record: RoutingRecord): Promise<void> {
  const { requested, submissionFailover, calls } = record.routing;
  const wanted = requested ?? planned.requested;
  const isMoved = wanted !== null && wanted !== first.model && calls.length === 0 && submissionFailover === null;
  const passedOver = isMoved ? `${wanted}: ${whyNot(wanted, planned)}` : submissionFailover;
  const choice = requested === null ? planned.choice : record.routing.choice;
  await record.set({ requested: wanted, choice, submissionFailover: passedOver });
}

function whyNot(model: string, { leftOut }: Plan): string {
  const reasons = leftOut.filter(({ backend }) => isNamed(backend, model));
  const [telling] = reasons.toSorted((a, b) => Number(b.isForNow) - Number(a.isForNow));
  return telling?.reason ?? 'no backend of this name is configured';
}

interface RoutedAttemptParts {
  job: Job;
  order: Order;
  record: RoutingRecord;
  deadline: number;
  candidates: readonly Backend[];
  prepared: Prepared;
  parts: RoutedParts;
}

/** One attempt at a job across its backends. */
class RoutedAttempt {
  readonly #is: RoutedAttemptParts;
  #begunAt = 0;

  constructor(parts: RoutedAttemptParts) {
    this.#is = parts;
  }

  async run(backend: Backend): Promise<Made & { modelActual: string }> {
    const { job, order, record, prepared, parts, candidates, deadline } = this.#is;
    this.#begunAt = parts.now();
    await record.set({ actual: backend.model });
    const isLast = candidates.at(-1) === backend;
    const share = isLast ? 1 : shareOfTime;
    const ends = this.#begunAt + Math.max(0, deadline - this.#begunAt) * share;
    try {
      const made = await backend.run({ ...prepared, job, order, ledger: record, deadline: ends });
      return { ...made, modelActual: made.modelActual ?? backend.model };
    } catch (error) {
      if (!(error instanceof ProviderFailure)) parts.health.forget(backend.id);
      throw error;
    }
  }

  note(backend: Backend, failure: ProviderFailure | null): void {
    const { job, record, parts } = this.#is;
    const call = record.calls().findLast((each) => each.backend === backend.id);
    // A failure before anything was sent is nobody's account's.
    const isOfAccount = call !== undefined && (failure === null || call.sentAt >= this.#begunAt);
    const account = isOfAccount ? { provider: call.provider, credential: call.credential } : undefined;
    parts.health.note(backend.id, failure, account);
    if (failure && account && needsOwner.includes(failure.kind)) {
      parts.log.error(
        { ...account, kind: failure.kind, reason: failure.message },
        'an account of a service is of no use',
      );
    }
    const ms = parts.now() - this.#begunAt;
    parts.meter.backendAttempt(backend, failure?.kind ?? 'done', ms);
    const saysNothing = failure !== null && ['invalid', 'unfit', 'content', 'auth', 'budget'].includes(failure.kind);
    if (saysNothing) return;
    const outcome = { backend: backend.id, job: job.id, isSuccess: failure === null, ms };
    parts.outcomes.record(outcome).catch((error: Error) => parts.log.warn({ error }, 'an outcome was not stored'));
  }

  async handOn({ backend, failure }: Setback, next: Backend): Promise<void> {
    const { job, record, parts } = this.#is;
    const reason = `${backend.model}: ${failure.message}`;
    parts.log.warn({ job: job.id, from: backend.id, to: next.id, kind: failure.kind, reason }, 'a job is handed on');
    await record.set(failure.details.isAccepted ? { asyncFailover: reason } : { submissionFailover: reason });
  }
}
