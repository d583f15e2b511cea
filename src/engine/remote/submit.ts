import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { BackendRun } from '../routing/backend.js';
import { EngineError } from '../errors.js';
import { ProviderFailure } from '../routing/failure.js';
import type {
  Api,
  Assignment,
  Credential,
  ModelRow,
  Picture,
  RemoteFile,
  Submission,
  Ticket,
} from '../providers/provider.js';
import type { RemoteCall } from './calls.js';
import { apiFor, type RemoteService } from './service.js';

/** A submission that the service has taken: with a ticket to ask by, or with the result at once. */
export type Accepted = { call: RemoteCall; api: Api } & ({ ticket: Ticket } | { files: RemoteFile[] });

interface What {
  service: RemoteService;
  row: ModelRow;
}

/**
 * Submits the job once. The row says so before a byte is sent, and what the service called it before anything else
 * happens. Errors: ProviderFailure; `unknown` only when it can't be found out whether the service took it.
 */
export async function submit(backend: string, run: BackendRun, { service, row }: What): Promise<Accepted> {
  const { provider, health } = service;
  const credential = health.chooseCredential(backend, provider.name, service.credentials);
  const externalId = `${run.job.id}-${run.ledger.calls().length + 1}`;
  const callbackToken = service.publicBaseUrl === null ? null : randomBytes(24).toString('base64url');
  const pictures = await picturesOf(run, service, row);
  const callbackUrl = callbackToken && callbackAddress(service, run.job.id, callbackToken);
  const assignment: Assignment = { order: run.order, pictures, row, externalId, callbackUrl };
  const submission = provider.submission(assignment);
  const call = newCall({ backend, externalId, callbackToken, credential, submission, service });
  await run.ledger.open(call);
  const api = apiFor(service, credential, run.signal);
  return send(call, { submission, api, run, service });
}

/**
 * Takes up a submission of an earlier attempt: with its ticket, or, when the server died before there was one, by
 * looking for it. Null if it is proven that the service never got it. Errors: ProviderFailure `unknown`.
 */
export async function resume(call: RemoteCall, run: BackendRun, { service }: What): Promise<Accepted | null> {
  const credential = service.credentials.find(({ name }) => name === call.credential);
  if (!credential || call.baseUrl !== service.baseUrl) {
    await end(call, run, { state: 'unknown', now: service.now() });
    throw new ProviderFailure('unknown', `The account that the job was sent with (${call.credential}) is gone`);
  }
  const api = apiFor(service, credential, run.signal);
  if (call.ticket) return { call, api, ticket: call.ticket };
  return lookUp(call, { api, run, service, cause: new ProviderFailure('unknown', 'The answer never came') });
}

/** Where a service may tell that a job has changed. */
function callbackAddress({ publicBaseUrl, provider }: RemoteService, job: string, token: string): string {
  return `${publicBaseUrl}/v1/providers/${provider.name}/callbacks/${job}/${token}`;
}

interface Sending {
  submission: Submission;
  api: Api;
  run: BackendRun;
  service: RemoteService;
}

async function send(call: RemoteCall, { submission, api, run, service }: Sending): Promise<Accepted> {
  try {
    const acceptance = service.provider.accept(await api.send(submission), submission);
    if ('files' in acceptance) {
      await run.ledger.change(call.externalId, { state: 'accepted' });
      return { call, api, files: acceptance.files };
    }
    await run.ledger.change(call.externalId, { state: 'accepted', ticket: acceptance.ticket });
    return { call, api, ticket: acceptance.ticket };
  } catch (error) {
    if (run.signal.aborted) await leave(call, run, service);
    if (run.signal.aborted || !(error instanceof ProviderFailure)) throw error;
    if (error.kind !== 'unknown') {
      const failure = { kind: error.kind, message: error.message };
      await end(call, run, { state: error.details.isAccepted ? 'failed' : 'refused', failure, now: service.now() });
      throw error;
    }
    const found = await lookUp(call, { api, run, service, cause: error });
    if (found) return found;
    throw new ProviderFailure('transient', `${error.message}; it was looked for and has not arrived`, { cause: error });
  }
}

/** The caller no longer wants it, and its answer was not waited for; when only this server stops it is looked for later. */
async function leave(call: RemoteCall, run: BackendRun, { now }: RemoteService): Promise<void> {
  const { reason } = run.signal;
  if (reason instanceof EngineError && reason.code === 'interrupted') return;
  await end(call, run, { state: 'unknown', now: now() });
}

interface Search {
  api: Api;
  run: BackendRun;
  service: RemoteService;
  cause: ProviderFailure;
}

/** Looks for the submission under our own name of it, more than once: it may arrive late. Null: it is not there. */
async function lookUp(call: RemoteCall, { api, run, service, cause }: Search): Promise<Accepted | null> {
  const { provider, lookupPausesMs, bells } = service;
  if (!provider.find) {
    await end(call, run, {
      state: 'unknown',
      failure: { kind: 'unknown', message: cause.message },
      now: service.now(),
    });
    throw cause;
  }
  for (const pauseMs of lookupPausesMs) {
    await bells.wait(null, pauseMs, run.signal);
    const ticket = await provider.find(call.externalId, call.path, api).catch((error: unknown) => giveUp(error, cause));
    if (ticket === null) continue;
    await run.ledger.change(call.externalId, { state: 'accepted', ticket });
    return { call, api, ticket };
  }
  await end(call, run, { state: 'absent', now: service.now() });
  return null;
}

/** A question that got no answer leaves it open; the next attempt may ask again, so the call stays as it is. */
function giveUp(error: unknown, cause: ProviderFailure): never {
  if (!(error instanceof ProviderFailure)) throw error;
  throw new ProviderFailure('unknown', `${cause.message}, and neither did it when asked for the job`, { cause: error });
}

async function end(
  call: RemoteCall,
  run: BackendRun,
  { now, ...changes }: Pick<RemoteCall, 'state'> & Partial<RemoteCall> & { now: number },
): Promise<void> {
  await run.ledger.change(call.externalId, { ...changes, endedAt: now });
}

function newCall({
  backend,
  externalId,
  callbackToken,
  credential,
  submission,
  service,
}: {
  backend: string;
  externalId: string;
  callbackToken: string | null;
  credential: Credential;
  submission: Submission;
  service: RemoteService;
}): RemoteCall {
  return {
    externalId,
    backend,
    provider: service.provider.name,
    credential: credential.name,
    baseUrl: service.baseUrl,
    // Some services want the callback's address in the query, and that is a secret.
    path: submission.path.split('?')[0] as string,
    callbackToken,
    state: 'sent',
    ticket: null,
    warnings: submission.warnings,
    failure: null,
    sentAt: service.now(),
    endedAt: null,
  };
}

/** The pictures of the order, read; where the service takes addresses only, also put where it can fetch them. */
async function picturesOf(
  { order, inputFiles }: BackendRun,
  { blobs, publicBaseUrl }: RemoteService,
  row: ModelRow,
): Promise<Picture[]> {
  const pictures: Picture[] = [];
  for (const { role, input } of order.pictures) {
    const file = inputFiles[input];
    if (!file) throw new EngineError('internal', `The order names input ${input}, and there is none`);
    const bytes = await readFile(file.path);
    let url: string | null = null;
    if (row.options?.needsUrl && publicBaseUrl !== null) {
      const extension = file.contentType.replace('image/', '');
      // The service fetches when it likes, so the copy goes with the retention and not with this call.
      const { id } = await blobs.put(createReadStream(file.path), { extension });
      url = `${publicBaseUrl}/output/${id}`;
    }
    pictures.push({ role, contentType: file.contentType, bytes, url });
  }
  return pictures;
}
