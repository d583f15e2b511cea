import { type Backend, misfit } from './backend.js';
import { type Decision, decide } from './decision.js';
import { EngineError } from '../errors.js';
import { ProviderFailure } from './failure.js';
import type { Rest } from './health.js';
import type { Needs } from './order.js';
import { type Choice, noChoice } from './routing.js';

export const policies = ['fixed', 'cheapest', 'quality', 'latency'] as const;
/** In which order backends are tried that were not asked for by name. */
export type Policy = (typeof policies)[number];

/** What is asked of the router for one job. */
export interface RouteRequest {
  /** The name of a model, or `auto`. */
  model: string;
  needs: Needs;
  /** Whether another backend may be tried when the first one can't. */
  failover: boolean;
  policy: Policy;
  /** What `auto` stands for. */
  autoModel: string;
  /** By how many points of 100 a score must be better for the quality policy to leave what `auto` stands for. */
  margin: number;
}

/** How a backend stands now, as far as the choice is concerned. */
export interface Standing {
  /** Null if it can be given a job now. */
  rest: Rest | null;
  /** 0..100; null while too little is known. */
  score: number | null;
  /** Mean milliseconds of a job; null while nothing is known. */
  latencyMs: number | null;
}

/** By the id of the backend. */
export type Standings = Readonly<Record<string, Standing>>;

export interface LeftOut {
  backend: Backend;
  reason: string;
  /** True if it could do the job at another time. */
  isForNow: boolean;
  rest: Rest | null;
}

export interface Plan {
  /** In the order in which they are to be tried. */
  candidates: Backend[];
  leftOut: LeftOut[];
  /** The model that the request means, whether it can be had now or not; null when that is nobody's. */
  requested: string | null;
  choice: Choice;
}

/**
 * Which backends can do the job, in which order, and why the others can't: first what each is able to do, then whether
 * it can be asked now, then the caller's model, then the policy; last of all those of last resort.
 */
export function plan(request: RouteRequest, backends: readonly Backend[], standings: Standings): Plan {
  const judged = backends.map((backend) => ({ backend, verdict: judge(backend, request.needs, standings) }));
  const able = judged.filter(({ verdict }) => verdict === null || verdict.isForNow).map(({ backend }) => backend);
  const allowed = request.failover ? able : theOne(able, request, standings);
  const isFit = ({ id }: Backend) => !standings[id]?.rest;
  const { ordered: candidates, choice } = order(allowed.filter(isFit), request, standings);
  const leftOut = judged.flatMap(({ backend, verdict }): LeftOut[] => {
    if (verdict && (allowed.includes(backend) || !verdict.isForNow)) return [{ backend, ...verdict }];
    return allowed.includes(backend) ? [] : [{ backend, reason: '`failover` is false', isForNow: false, rest: null }];
  });
  return { candidates, leftOut, requested: requestedOf(request, candidates, { leftOut, choice }), choice };
}

/** Without failover there is one backend for the job, whether it can be asked now or not. */
function theOne(able: Backend[], request: RouteRequest, standings: Standings): Backend[] {
  const { model } = request;
  const meant = model === 'auto' ? able : able.filter((backend) => isNamed(backend, model));
  return order(meant, request, standings).ordered.slice(0, 1);
}

/**
 * The one that would have been first if it did not rest; a model that was asked for by name is what it is, even if
 * nobody has it.
 */
function requestedOf(
  { model, autoModel }: RouteRequest,
  [first]: Backend[],
  { leftOut, choice }: Pick<Plan, 'leftOut' | 'choice'>,
): string | null {
  const name = model === 'auto' ? autoModel : model;
  const isChosen = first !== undefined && (isNamed(first, name) || choice.preferred === first.model);
  if (first && isChosen) return first.model;
  const resting = leftOut.find(({ backend, isForNow }) => isForNow && isNamed(backend, name));
  return resting?.backend.model ?? (model === 'auto' ? (first?.model ?? null) : model);
}

type Verdict = Omit<LeftOut, 'backend'>;

function judge(backend: Backend, needs: Needs, standings: Standings): Verdict | null {
  const lacking = backend.problem ?? misfit(backend.capabilities, needs);
  if (lacking !== null) return { reason: lacking, isForNow: false, rest: null };
  const rest = standings[backend.id]?.rest ?? null;
  return rest && { reason: rest.reason, isForNow: true, rest };
}

function order(fit: Backend[], request: RouteRequest, standings: Standings): { ordered: Backend[]; choice: Choice } {
  const { model, policy, autoModel } = request;
  const isAuto = model === 'auto';
  const byPolicy = sortBy(policy, fit, standings);
  const wanted = byPolicy.filter((backend) => isNamed(backend, isAuto ? autoModel : model));
  const rest = byPolicy.filter((backend) => !wanted.includes(backend));
  const regular = [...wanted, ...rest.filter(({ isLastResort }) => !isLastResort)];
  const ordered = [...regular, ...rest.filter(({ isLastResort }) => isLastResort)];
  if (!isAuto || policy !== 'quality') return { ordered, choice: noChoice };
  return followScores(ordered, request, standings);
}

/** Whether a request for this model means the backend. */
export function isNamed(backend: Pick<Backend, 'model' | 'names'>, model: string): boolean {
  return backend.model === model || backend.names.includes(model);
}

/** Stable: what the policy has no opinion on stays in the order of the settings. */
function sortBy(policy: Policy, backends: Backend[], standings: Standings): Backend[] {
  const latency = ({ id }: Backend) => standings[id]?.latencyMs ?? Number.MAX_VALUE;
  const score = ({ id }: Backend) => standings[id]?.score ?? -1;
  if (policy === 'cheapest') return backends.toSorted((a, b) => a.price - b.price);
  if (policy === 'latency') return backends.toSorted((a, b) => latency(a) - latency(b));
  if (policy === 'quality') return backends.toSorted((a, b) => score(b) - score(a));
  return backends;
}

/** Leaves what `auto` stands for only for a backend whose score is better by the margin. */
function followScores(
  ordered: Backend[],
  { margin }: RouteRequest,
  standings: Standings,
): { ordered: Backend[]; choice: Choice } {
  const scoreOf = (backend: Backend) => standings[backend.id]?.score ?? null;
  const [legacy] = ordered;
  const regular = ordered.filter((backend) => !backend.isLastResort && scoreOf(backend) !== null);
  const [preferred] = regular.toSorted((a, b) => (scoreOf(b) as number) - (scoreOf(a) as number));
  const choice: Choice = {
    preferred: preferred?.model ?? null,
    legacy: legacy?.model ?? null,
    confidenceMargin: margin,
    fallbackReason: null,
  };
  if (!legacy || preferred === legacy) return { ordered, choice };
  const legacyScore = scoreOf(legacy);
  if (!preferred || legacyScore === null) return { ordered, choice: { ...choice, fallbackReason: 'no_outcomes_yet' } };
  if ((scoreOf(preferred) as number) - legacyScore < margin) {
    return { ordered, choice: { ...choice, fallbackReason: 'insufficient_margin_over_legacy' } };
  }
  return { ordered: [preferred, ...ordered.filter((backend) => backend !== preferred)], choice };
}

/** The error of a job that nobody can take: `provider_unavailable`, with the reason of each backend. */
export function nobodyCan({ leftOut }: Plan, now: number): EngineError {
  const reasons = leftOut.map(({ backend, reason }) => `${backend.model} at ${backend.provider}: ${reason}`);
  const waits = leftOut.flatMap(({ rest }) => (rest?.until ? [rest.until - now] : []));
  const message = `No backend can do this${reasons.length > 0 ? ` (${reasons.join('; ')})` : ': none is configured'}`;
  return new EngineError('provider_unavailable', message, {
    ...(waits.length > 0 && { retryAfterSeconds: Math.max(1, Math.ceil(Math.min(...waits) / 1000)) }),
  });
}

/** As long as an account rests for lack of room where the service does not say. */
const capacityPauseMs = 15_000;
const shortestPauseMs = 1_000;

/** One failure of one backend on the way. */
export interface Setback {
  backend: Backend;
  failure: ProviderFailure;
}

export interface Trying<Result> {
  attempt(backend: Backend): Promise<Result>;
  /** Whether the backend takes a job now; one that is asked and does not is passed over. */
  admit(backend: Backend): boolean;
  /** Whether the backend has an account that needs no rest, now that the outcome has been noted. */
  hasOtherAccount(backend: Backend): boolean;
  /** Called with each outcome; null for success. */
  noted(backend: Backend, failure: ProviderFailure | null): void;
  /** Called before a job is handed on to the next backend. */
  handOn(setback: Setback, next: Backend): Promise<void>;
  wait(ms: number): Promise<void>;
  now(): number;
  deadline: number;
}

/**
 * The result of the first backend that does the job: the only loop of attempts in the program. A backend that has
 * perhaps taken the job and can't say so ends the trying of all that cost money. Errors: `invalid_input`,
 * `content_policy`, `timeout`, `provider_unavailable`; an EngineError of an attempt as it is.
 */
export async function tryInOrder<Result>(candidates: readonly Backend[], trying: Trying<Result>): Promise<Result> {
  const setbacks: Setback[] = [];
  let queue = [...candidates];
  for (let backend = queue.shift(); backend; backend = queue.shift()) {
    const last = setbacks.at(-1);
    if (last && last.backend !== backend) await trying.handOn(last, backend);
    const outcome = await tryOne(backend, trying);
    if (outcome === 'not admitted') continue;
    if ('result' in outcome) return outcome.result;
    setbacks.push({ backend, failure: outcome.failure });
    if (outcome.decision.do === 'stop') break;
    if (outcome.decision.do === 'next unpaid') queue = queue.filter(({ isPaid }) => !isPaid);
    if (trying.now() >= trying.deadline) break;
    if (queue.length === 0) queue = await waitForRoom(setbacks, candidates, trying);
  }
  throw allFailed(setbacks, trying);
}

/** When nobody else is left, those that had no room are waited for; nobody while somebody may have taken the job. */
async function waitForRoom(
  setbacks: Setback[],
  candidates: readonly Backend[],
  { now, wait, deadline }: Pick<Trying<unknown>, 'now' | 'wait' | 'deadline'>,
): Promise<Backend[]> {
  if (setbacks.some(({ failure }) => failure.kind === 'unknown')) return [];
  const full = candidates.filter((backend) => isFull(setbacks.findLast((setback) => setback.backend === backend)));
  const waits = setbacks.filter(({ backend }) => full.includes(backend)).map(({ failure }) => roomAfterMs(failure));
  if (full.length === 0 || now() + Math.min(...waits) >= deadline) return [];
  await wait(Math.min(...waits));
  return full;
}

function isFull(setback: Setback | undefined): boolean {
  return setback?.failure.kind === 'capacity' && !setback.failure.details.isAccepted;
}

function roomAfterMs({ details }: ProviderFailure): number {
  return Math.max(shortestPauseMs, details.retryAfterMs ?? capacityPauseMs);
}

type Outcome<Result> = { result: Result } | { failure: ProviderFailure; decision: Decision } | 'not admitted';

async function tryOne<Result>(backend: Backend, trying: Trying<Result>): Promise<Outcome<Result>> {
  for (let tries = 1; ; tries += 1) {
    if (!trying.admit(backend)) return 'not admitted';
    try {
      const result = await trying.attempt(backend);
      trying.noted(backend, null);
      return { result };
    } catch (error) {
      if (!(error instanceof ProviderFailure)) throw error;
      trying.noted(backend, error);
      const decision = decide(error, tries, trying.hasOtherAccount(backend));
      const isTooLate = decision.do === 'again' && trying.now() + decision.afterMs >= trying.deadline;
      if (decision.do !== 'again') return { failure: error, decision };
      if (isTooLate) return { failure: error, decision: { do: 'next' } };
      await trying.wait(decision.afterMs);
    }
  }
}

function allFailed(setbacks: Setback[], { now, deadline }: Pick<Trying<unknown>, 'now' | 'deadline'>): EngineError {
  const last = setbacks.at(-1)?.failure;
  if (!last) return new EngineError('provider_unavailable', 'No backend takes a job now');
  const { param } = last.details;
  if (last.kind === 'invalid')
    return new EngineError('invalid_input', last.message, { ...(param && { param }), cause: last });
  if (last.kind === 'content') return new EngineError('content_policy', last.message, { cause: last });
  if (last.kind === 'stuck' || now() >= deadline) return new EngineError('timeout', last.message, { cause: last });
  const reasons = setbacks.map(({ backend, failure }) => `${backend.model} at ${backend.provider}: ${failure.message}`);
  return new EngineError('provider_unavailable', `No backend could do it (${reasons.join('; ')})`, { cause: last });
}
