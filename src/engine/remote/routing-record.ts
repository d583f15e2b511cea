import { EngineError } from '../errors.js';
import type { Claim, JobStore } from '../jobs/job-store.js';
import { noRouting, type Routing } from '../routing/routing.js';
import type { CallLedger, RemoteCall } from './calls.js';

/** The routing of one claimed job: every change is in its row before anything goes on. Errors of all: `interrupted`. */
export class RoutingRecord implements CallLedger {
  readonly #jobs: Pick<JobStore, 'route'>;
  readonly #claim: Claim;
  #routing: Routing;

  constructor(jobs: Pick<JobStore, 'route'>, { id, token, routing }: Claim & { routing: Routing | null }) {
    this.#jobs = jobs;
    this.#claim = { id, token };
    this.#routing = routing ?? noRouting;
  }

  get routing(): Routing {
    return this.#routing;
  }

  async set(changes: Partial<Routing>): Promise<void> {
    this.#routing = { ...this.#routing, ...changes };
    const isOurs = await this.#jobs.route(this.#claim, this.#routing);
    if (!isOurs) throw new EngineError('interrupted', 'The job has been handed to another attempt');
  }

  calls(): readonly RemoteCall[] {
    return this.#routing.calls;
  }

  open(call: RemoteCall): Promise<void> {
    return this.set({ calls: [...this.#routing.calls, call] });
  }

  change(externalId: string, changes: Partial<RemoteCall>): Promise<void> {
    const calls = this.#routing.calls.map((call) => (call.externalId === externalId ? { ...call, ...changes } : call));
    return this.set({ calls });
  }
}
