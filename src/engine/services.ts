import type { Meter } from './api.js';
import type { Backend } from './backend.js';
import type { BlobStore } from './blobs/blob-store.js';
import { megabyte } from './byte-size.js';
import type { Config } from './config.js';
import { createDownloader } from './download.js';
import { openFleet } from './fleet.js';
import { HealthBook } from './health.js';
import type { JobStore } from './jobs/job-store.js';
import type { OutcomeStore } from './jobs/outcome-store.js';
import { type LocalParts, localBackend } from './local-backend.js';
import type { Log } from './log.js';
import type { Lane, Operation } from './operations/operation.js';
import { knownModels, type ProviderSettings, readProviderSettings } from './provider-settings.js';
import { createApiDispatcher, fetchJson } from './providers/http.js';
import { Bells } from './remote/bells.js';
import { type CallbackParts, rememberJson } from './remote/callbacks.js';
import { remoteBackend } from './remote/remote-backend.js';
import type { RemoteParts } from './remote/service.js';
import type { RoutedParts } from './routed.js';

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
  close(): Promise<void>;
}

/** How long fetching a result may take. */
const resultMs = 300_000;
/** When a submission is looked for whose answer was lost: it may be on its way. */
const lookupPausesMs = [1_000, 3_000, 10_000];

/** Opens the services that are configured, and this machine beside them. Throws ConfigError. */
export function openServices(options: ServicesOptions): Services {
  const { config, operations, jobs, outcomes, blobs, local, meter, log } = options;
  const settings = readProviderSettings(config);
  const now = Date.now;
  const health = new HealthBook({ now });
  const bells = new Bells();
  const dispatcher = createApiDispatcher();
  const maxResultBytes = config.DARKROOM_MAX_RESULT_MB * megabyte;
  const allowHosts = [...config.DARKROOM_ALLOW_HOSTS, ...ownServices(settings)];
  const download = createDownloader({ allowHosts, timeoutMs: resultMs, maxBytes: maxResultBytes });
  const publicBaseUrl = config.PUBLIC_BASE_URL ?? null;
  const remote = {
    health,
    bells,
    download,
    maxResultBytes,
    dispatcher,
    blobs,
    publicBaseUrl,
    log,
    now,
    lookupPausesMs,
  };
  const backends = [
    ...settings.flatMap((service) => remoteBackends(service, remote)),
    ...localBackends(operations, local),
  ];
  const credentialsOf = (name: string) =>
    settings.find(({ provider }) => provider.name === name)?.credentials.map((each) => each.name) ?? [];
  const fleet = openFleet({ backends, health, outcomes, credentialsOf });
  const route = {
    policy: config.DARKROOM_ROUTING,
    autoModel: config.DARKROOM_AUTO_MODEL,
    margin: config.DARKROOM_ROUTING_MARGIN,
  };
  return {
    routed: {
      fleet,
      health,
      jobs,
      outcomes,
      settings: route,
      knownModels: knownModels(),
      meter,
      log,
      now,
      wait: (ms, signal) => bells.wait(null, ms, signal),
    },
    callbacks: {
      services: settings,
      jobs,
      bells,
      now,
      fetchJson: rememberJson((url) => fetchJson(url, dispatcher), now),
    },
    laneOf: ({ name, lane }) => (fleet.of(name).some(({ provider }) => provider !== 'local') ? 'remote' : lane),
    close: async () => void (await Promise.all([download.close(), dispatcher.destroy()])),
  };
}

function remoteBackends({ rows, ...service }: ProviderSettings, parts: RemoteParts): Backend[] {
  return rows.map((row) => remoteBackend({ ...parts, ...service }, row));
}

function localBackends(operations: readonly Operation[], parts: LocalParts): Backend[] {
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
