import { timingSafeEqual } from 'node:crypto';
import { EngineError } from '../errors.js';
import type { JobStore } from '../jobs/job-store.js';
import type { Callback, Provider } from '../providers/provider.js';
import type { Bells } from './bells.js';
import { isOpen } from './calls.js';

/** A call of a service to us, with what its address says. */
export interface ServiceCall extends Callback {
  provider: string;
  job: string;
  token: string;
}

export interface CallbackParts {
  services: readonly { provider: Provider; callbackSecret: string | null }[];
  jobs: Pick<JobStore, 'get'>;
  bells: Bells;
  fetchJson(url: string): Promise<unknown>;
  now(): number;
}

/**
 * Takes a call of a service: when its address and its signature are right, the job is looked at. Nothing that the call
 * says is believed, so one that comes twice, late or out of order does no harm.
 * Errors: `not_found` for an address that nobody was told, `unauthorized` for a signature that is not right.
 */
export async function receiveCallback(call: ServiceCall, parts: CallbackParts): Promise<void> {
  const { services, jobs, bells, fetchJson, now } = parts;
  const service = services.find(({ provider }) => provider.name === call.provider);
  const job = await jobs.get(call.job);
  const known = job?.routing?.calls.find(({ provider, callbackToken }) => {
    return provider === call.provider && callbackToken !== null && isSame(callbackToken, call.token);
  });
  if (!service || !known) throw new EngineError('not_found', 'There is no such address for a call of a service');
  const { verify } = service.provider;
  const isGenuine = (await verify?.(call, { secret: service.callbackSecret, now: now(), fetchJson })) ?? true;
  if (!isGenuine) throw new EngineError('unauthorized', 'The signature is missing, wrong or too old');
  if (isOpen(known)) bells.ring(call.token);
}

function isSame(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

const keepMs = 24 * 60 * 60 * 1000;

/** Keeps documents for a day, as fal asks for its signing keys. */
export function rememberJson(
  fetchJson: (url: string) => Promise<unknown>,
  now: () => number,
): (url: string) => Promise<unknown> {
  const kept = new Map<string, { at: number; document: unknown }>();
  return async (url) => {
    const known = kept.get(url);
    if (known && now() - known.at < keepMs) return known.document;
    const document = await fetchJson(url);
    kept.set(url, { at: now(), document });
    return document;
  };
}
