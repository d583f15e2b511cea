import { createWriteStream } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { BackendRun } from '../routing/backend.js';
import { EngineError } from '../errors.js';
import { ProviderFailure } from '../routing/failure.js';
import type { OutputFile } from '../operations/operation.js';
import { openOwnFile } from '../providers/http.js';
import type { Api, RemoteFile, Ticket } from '../providers/provider.js';
import type { RemoteCall } from './calls.js';
import { headBytes, mediaFormat, mediaTypes } from './media-format.js';
import type { RemoteService } from './service.js';

interface Collecting {
  run: BackendRun;
  service: RemoteService;
  call: RemoteCall;
  api: Api;
  /** What the job can be asked by again; null where the results came at once. */
  ticket: Ticket | null;
  kind: 'video' | 'image';
}

const tries = 3;

/**
 * The results, fetched into the folder of the attempt at once (services delete them within hours) and checked to be
 * what was ordered. Errors: ProviderFailure `unknown` when they can't be had: the service has done its work and will be
 * paid, so nobody else is to be paid for it.
 */
export async function collect(files: RemoteFile[], parts: Collecting): Promise<OutputFile[]> {
  await mkdir(parts.run.folder, { recursive: true });
  const outputs: OutputFile[] = [];
  for (const [at, file] of files.entries()) {
    const path = join(parts.run.folder, `result-${at}`);
    await fetchPatiently(file, { at, path }, parts);
    outputs.push(await identify(path, parts));
  }
  return outputs;
}

async function fetchPatiently(
  first: RemoteFile,
  { at, path }: { at: number; path: string },
  parts: Collecting,
): Promise<void> {
  const { run, service } = parts;
  for (let file = first, attempt = 1; ; attempt += 1) {
    try {
      return await fetchInto(file, path, parts);
    } catch (error) {
      run.signal.throwIfAborted();
      if (attempt >= tries || (error instanceof EngineError && error.code === 'too_large'))
        throw await unreachable(error, parts);
      await service.bells.wait(null, attempt * Math.min(1_000, service.pollMs), run.signal);
      file = (await lookAgain(parts))?.[at] ?? file;
    }
  }
}

/** The results as the service names them now, since addresses expire; null if it can't say, and the old one has to do. */
async function lookAgain({ service, ticket, api }: Collecting): Promise<RemoteFile[] | null> {
  const { provider } = service;
  if (!provider.poll || !ticket) return null;
  const progress = await provider.poll(ticket, api).catch(() => null);
  return progress?.state === 'done' ? progress.files : null;
}

async function fetchInto(file: RemoteFile, path: string, { run, service, call, api }: Collecting): Promise<void> {
  const source = 'bytes' in file ? Readable.from([file.bytes]) : await openFile(file, { run, service, call, api });
  await pipeline(source, createWriteStream(path), { signal: run.signal });
}

/** What lies on the service itself wants the key; everything else must not see it, and is fetched like any stranger's file. */
async function openFile(
  { url, withKey }: Extract<RemoteFile, { url: string }>,
  { run, service, call }: Omit<Collecting, 'kind' | 'ticket'>,
): Promise<Readable> {
  const options = { param: 'output', signal: run.signal };
  if (!withKey) return (await service.download.open(url, options)).stream;
  const credential = service.credentials.find(({ name }) => name === call.credential);
  const own = await openOwnFile(url, {
    provider: service.provider,
    baseUrl: service.baseUrl,
    authorize: () => (credential ? service.provider.authorize(credential, service.now()) : {}),
    signal: run.signal,
    maxBytes: service.maxResultBytes,
    ...(service.dispatcher && { dispatcher: service.dispatcher }),
  });
  return 'location' in own ? (await service.download.open(own.location, options)).stream : own.stream;
}

async function identify(path: string, parts: Collecting): Promise<OutputFile> {
  const file = await open(path);
  try {
    const head = Buffer.alloc(headBytes);
    const { bytesRead } = await file.read(head, 0, headBytes, 0);
    const format = mediaFormat(head.subarray(0, bytesRead), parts.kind);
    if (format) return { path, format, contentType: mediaTypes[format] };
    throw await unreachable(new Error(`it is no ${parts.kind}`), parts);
  } finally {
    await file.close();
  }
}

async function unreachable(error: unknown, { run, service, call }: Collecting): Promise<ProviderFailure> {
  const reason = error instanceof Error ? error.message : String(error);
  const message = `${service.provider.title} did the job, and its result can't be had: ${reason}`;
  await run.ledger.change(call.externalId, {
    state: 'unknown',
    failure: { kind: 'unknown', message },
    endedAt: service.now(),
  });
  return new ProviderFailure('unknown', message, { isAccepted: true, cause: error });
}
