import type { Backend, BackendRun, Made } from '../routing/backend.js';
import type { ModelRow } from '../providers/provider.js';
import { isOpen } from './calls.js';
import { collect } from './collect.js';
import { follow } from './follow.js';
import type { RemoteService } from './service.js';
import { resume, submit } from './submit.js';

/** One model of a service as a backend: submits, follows and fetches the result; every step is noted with the job first. */
export function remoteBackend(service: RemoteService, row: ModelRow): Backend {
  const { provider } = service;
  const id = `${provider.name}/${row.model}`;
  return {
    id,
    provider: provider.name,
    operation: row.operation,
    model: row.model,
    names: row.names,
    capabilities: row.capabilities,
    price: row.price,
    defaults: (['price', 'capabilities'] as const).filter((what) => !row.settled?.includes(what)),
    isPaid: true,
    isLastResort: false,
    problem: problemOf(service, row),
    run: (run) => make(id, run, { service, row }),
  };
}

async function make(id: string, run: BackendRun, what: { service: RemoteService; row: ModelRow }): Promise<Made> {
  const { service } = what;
  const open = run.ledger.calls().findLast((call) => call.backend === id && isOpen(call));
  const accepted = (open && (await resume(open, run, what))) ?? (await submit(id, run, what));
  const { call, api } = accepted;
  const files = 'files' in accepted ? accepted.files : await follow(accepted, run, service);
  const ticket = 'ticket' in accepted ? accepted.ticket : null;
  const outputs = await collect(files, { run, service, call, api, ticket, kind: run.order.kind });
  await run.ledger.change(call.externalId, { state: 'done', endedAt: service.now() });
  return { outputs, warnings: call.warnings, facts: {} };
}

function problemOf({ credentials, baseUrl, provider, publicBaseUrl }: RemoteService, row: ModelRow): string | null {
  if (credentials.length === 0) return `${provider.title} has no key`;
  if (baseUrl === '') return `${provider.title} has no address: set its baseUrl`;
  if (row.options?.needsUrl && publicBaseUrl === null) {
    return `${provider.title} fetches pictures itself: set PUBLIC_BASE_URL to an address that it can reach`;
  }
  return null;
}
