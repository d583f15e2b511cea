import type { BlobStore } from '../blobs/blob-store.js';
import type { Downloader } from '../downloads/download.js';
import type { HealthBook } from '../routing/health.js';
import type { Log } from '../log.js';
import { createApi, type Dispatcher } from '../providers/http.js';
import type { Api, Credential, Provider } from '../providers/provider.js';
import type { Bells } from './bells.js';

/** What all services have in common. */
export interface RemoteParts {
  health: HealthBook;
  bells: Bells;
  /** For results that lie elsewhere than on the service itself. */
  download: Downloader;
  maxResultBytes: number;
  dispatcher?: Dispatcher;
  /** Where pictures are put for services that only take addresses. */
  blobs: Pick<BlobStore, 'put' | 'remove'>;
  /** How we are reached from outside; null if we are not. */
  publicBaseUrl: string | null;
  /** Whether the server is stopping: what runs elsewhere is then left there, for the next one to take up. */
  isDraining(): boolean;
  log: Log;
  now(): number;
  /** Milliseconds to wait before each look for a submission whose answer was lost. */
  lookupPausesMs: readonly number[];
}

/** One service as its owner has configured it. */
export interface RemoteService extends RemoteParts {
  provider: Provider;
  baseUrl: string;
  credentials: readonly Credential[];
  /** Milliseconds between two looks at a job; default: the provider's. */
  pollMs: number;
}

/** The way to a service with one of its accounts. */
export function apiFor(
  { provider, baseUrl, dispatcher, now }: RemoteService,
  credential: Credential,
  signal: AbortSignal,
): Api {
  return createApi({
    provider,
    baseUrl,
    authorize: () => provider.authorize(credential, now()),
    signal,
    ...(provider.submitMs && { timeoutMs: provider.submitMs }),
    ...(dispatcher && { dispatcher }),
  });
}
