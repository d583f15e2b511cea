import type { Made } from './routing/backend.js';
import type { Job } from './jobs/job-store.js';
import { type LocalParts, runLocally } from './routing/local-backend.js';
import type { Operation } from './operations/operation.js';
import { isRouted, type Prepared, type RoutedParts, runRouted } from './routing/routed.js';
import { pickOperation } from './submissions/submission.js';

/** What came of it, and of whom. */
export type Done = Made & { modelActual: string };

/** Has jobs done: by the backends of the router where there can be several, otherwise on this machine. */
export function performer(
  operations: readonly Operation[],
  { local, routed }: { local: LocalParts; routed: RoutedParts },
): (job: Job, prepared: Prepared) => Promise<Done> {
  return async (job, prepared) => {
    const operation = pickOperation(operations, job.operation);
    if (isRouted(operation)) return runRouted(job, { operation, prepared, parts: routed });
    const made = await runLocally(prepared, operation.lane, local);
    return { ...made, modelActual: made.modelActual ?? 'none' };
  };
}
