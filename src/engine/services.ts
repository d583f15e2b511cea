import type { Meter } from './api.js';
import type { Backend } from './routing/backend.js';
import type { BlobStore } from './blobs/blob-store.js';
import { megabyte } from './byte-size.js';
import type { Config } from './config.js';
import { createDownloader } from './downloads/download.js';
import { openFleet } from './routing/fleet.js';
import { HealthBook } from './routing/health.js';
import type { JobStore } from './jobs/job-store.js';
import type { OutcomeStore } from './jobs/outcome-store.js';
import { type LocalParts, localBackend } from './routing/local-backend.js';
import type { Log } from './log.js';
import type { Lane, Operation } from './operations/operation.js';
import { knownModels, type ProviderSettings, readProviderSettings } from './provider-settings.js';
import { createApiDispatcher, fetchJson } from './providers/http.js';
import { Bells } from './remote/bells.js';
import { type CallbackParts, rememberJson } from './remote/callbacks.js';
import { remoteBackend } from './remote/remote-backend.js';
import type { RemoteParts } from './remote/service.js';
import type { RoutedParts } from './routing/routed.js';

export interface ServicesOptions {
  config: Config;
  operations: readonly Operation[];
  jobs: JobStore;
  outcomes: OutcomeStore;
  blobs: BlobStore;
  local: LocalParts;
  meter: Pick<Meter, 'backendAttempt'>;
  log: Log;
}

/** Everything that jobs of several backends need. */
export interface Services {
  routed: RoutedParts;
  callbacks: CallbackParts;
  /** Where jobs of the operation wait: those that others than this machine may do have a lane of their own. */
  laneOf(operation: Operation): Lane;
  /** Lets go of what runs elsewhere: it goes on there. */
  drain(): void;
  close(): Promise<void>;
}

/** How long fetching a result may take. */
const resultMs = 300_000;
/** When a submission is looked for whose answer was lost: it may be on its way. */
const lookupPausesMs = [1_000, 3_000, 10_000];

/** Opens the services that are configured, and this machine beside them. Throws ConfigError. */
export function openServices(options: ServicesOptions): Services {
  const { config, jobs, outcomes, meter, log } = options;
  const settings = readProviderSettings(config);
  const { remote, bells, drain, close } = openRemote(settings, options);
  const { health, now, dispatcher } = remote;
  const backends = [...settings.flatMap((service) => remoteBackends(service, remote)), ...localBackends(options)];
  const credentialsOf = (name: string) =>
    settings.find(({ provider }) => provider.name === name)?.credentials.map((each) => each.name) ?? [];
  const fleet = openFleet({ backends, health, outcomes, credentialsOf });
  const route = {
    policy: config.DARKROOM_ROUTING,
    autoModel: config.DARKROOM_AUTO_MODEL,
    margin: config.DARKROOM_ROUTING_MARGIN,
  };
  const wait: RoutedParts['wait'] = (ms, signal) => bells.wait(null, ms, signal);
  const fetchDocument = rememberJson((url) => fetchJson(url, dispatcher), now);
  return {
    routed: { fleet, health, jobs, outcomes, settings: route, knownModels, meter, log, now, wait },
    callbacks: { services: settings, jobs, bells, now, fetchJson: fetchDocument },
    laneOf: ({ name, lane }) => (fleet.of(name).some(({ provider }) => provider !== 'local') ? 'remote' : lane),
    drain,
    close,
  };
}

/** What all services share, and the ways to let go of it. */
function openRemote(settings: readonly ProviderSettings[], { config, blobs, log }: ServicesOptions) {
  let draining = false;
  const now = Date.now;
  const bells = new Bells();
  const dispatcher = createApiDispatcher();
  const maxResultBytes = config.DARKROOM_MAX_RESULT_MB * megabyte;
  const allowHosts = [...config.DARKROOM_ALLOW_HOSTS, ...ownServices(settings)];
  const download = createDownloader({ allowHosts, timeoutMs: resultMs, maxBytes: maxResultBytes });
  const remote = {
    isDraining: () => draining,
    health: new HealthBook({ now }),
    bells,
    download,
    maxResultBytes,
    dispatcher,
    blobs,
    publicBaseUrl: config.PUBLIC_BASE_URL ?? null,
    log,
    now,
    lookupPausesMs,
  } satisfies RemoteParts;
  const drain = () => {
    draining = true;
    bells.ringAll();
  };
  return {
    remote,
    bells,
    drain,
    close: async () => void (await Promise.all([download.close(), dispatcher.destroy()])),
  };
}

function remoteBackends({ rows, ...service }: ProviderSettings, parts: RemoteParts): Backend[] {
  return rows.map((row) => remoteBackend({ ...parts, ...service }, row));
}

function localBackends({ operations, local: parts }: ServicesOptions): Backend[] {
  return operations.flatMap(
    (operation) => operation.local?.map((local) => localBackend(operation, local, parts)) ?? [],
  );
}

/** Services at addresses of the owner's own choice, whose results may lie beside them in his network. */
function ownServices(settings: readonly ProviderSettings[]): string[] {
  return settings
    .filter(({ provider, baseUrl }) => baseUrl !== provider.baseUrl && baseUrl !== '')
    .map(({ baseUrl }) => {
      const { hostname, port, protocol } = new URL(baseUrl);
      return `${hostname}:${port || (protocol === 'https:' ? 443 : 80)}`;
    });
}
