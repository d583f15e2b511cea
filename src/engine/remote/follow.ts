import type { BackendRun } from '../routing/backend.js';
import { EngineError } from '../errors.js';
import { ProviderFailure } from '../routing/failure.js';
import type { Api, Progress, RemoteFile, Ticket } from '../providers/provider.js';
import type { RemoteCall } from './calls.js';
import { apiFor, type RemoteService } from './service.js';

/** Looks in a row that were refused before the job is given up: a key that is no longer good, a job that is not known. */
const maxRefusedLooks = 5;
const maxPauseMs = 30_000;
const cancelMs = 5_000;

interface Followed {
  call: RemoteCall;
  api: Api;
  ticket: Ticket;
}

/**
 * Looks at the job until it has ended, or is called back to look. When the caller or the clock ends it the service is
 * asked to stop; when only this server stops, the job goes on there and is taken up again.
 * Errors: ProviderFailure (`isAccepted`), `cancelled`, `timeout`, `interrupted`, `busy`.
 */
export async function follow(followed: Followed, run: BackendRun, service: RemoteService): Promise<RemoteFile[]> {
  const { call, ticket } = followed;
  try {
    return await lookUntilDone(followed, run, service);
  } catch (error) {
    const isElsewhere = error instanceof EngineError && ['interrupted', 'busy'].includes(error.code);
    if (isElsewhere) throw error;
    const isOver = error instanceof ProviderFailure && error.details.isAccepted && error.kind !== 'stuck';
    if (!isOver) await cancelUpstream(ticket, call, service);
    const failure = error instanceof ProviderFailure ? { kind: error.kind, message: error.message } : null;
    const state = run.signal.aborted ? 'cancelled' : 'failed';
    await run.ledger.change(call.externalId, { state, failure, endedAt: service.now() });
    throw error;
  }
}

async function lookUntilDone(
  { call, api, ticket }: Followed,
  run: BackendRun,
  service: RemoteService,
): Promise<RemoteFile[]> {
  let refused = 0;
  let pauseMs = service.pollMs;
  for (;;) {
    await service.bells.wait(call.callbackToken, Math.min(pauseMs, run.deadline - service.now()), run.signal);
    if (service.isDraining()) throw new EngineError('busy', 'The server is stopping; the job goes on at the service');
    try {
      const progress = await look(ticket, api, service);
      if (progress.state === 'done') return progress.files;
      report(progress, run);
      refused = 0;
      pauseMs = service.pollMs;
    } catch (error) {
      if (!(error instanceof ProviderFailure) || error.details.isAccepted) throw error;
      refused = error.kind === 'auth' || error.kind === 'invalid' ? refused + 1 : 0;
      if (refused >= maxRefusedLooks) throw lost(error);
      pauseMs = Math.max(error.details.retryAfterMs ?? 0, Math.min(maxPauseMs, pauseMs * 2));
    }
    if (service.now() >= run.deadline) throw stuck(service);
  }
}

async function look(ticket: Ticket, api: Api, { provider }: RemoteService): Promise<Progress> {
  if (!provider.poll) throw new EngineError('internal', `${provider.title} gives tickets and can't be asked by them`);
  return provider.poll(ticket, api);
}

function report(progress: Progress, run: BackendRun): void {
  if (progress.state === 'waiting') run.onProgress({ stage: 'infer', fraction: progress.fraction ?? 0 });
}

async function cancelUpstream(ticket: Ticket, call: RemoteCall, service: RemoteService): Promise<void> {
  const { provider, log } = service;
  const credential = service.credentials.find(({ name }) => name === call.credential);
  if (!provider.cancel || !credential) return;
  // Its own signal: the one of the run has been aborted.
  const api = apiFor(service, credential, AbortSignal.timeout(cancelMs));
  await provider.cancel(ticket, api).catch((error: Error) => {
    log.warn({ provider: provider.name, call: call.externalId, reason: error.message }, 'a job could not be cancelled');
  });
}

/** It was taken and paid for, and can't be asked for: whether it will ever come out, nobody knows. */
function lost(error: ProviderFailure): ProviderFailure {
  return new ProviderFailure('unknown', `The job can't be asked for any more: ${error.message}`, {
    isAccepted: true,
    cause: error,
  });
}

function stuck({ provider }: RemoteService): ProviderFailure {
  return new ProviderFailure('stuck', `${provider.title} took the job and did not end it in time`, {
    isAccepted: true,
  });
}
