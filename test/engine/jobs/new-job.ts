import type { NewJob } from '#src/engine/jobs/job-store.js';

/** A submission for tests about anything but its content. */
export function newJob(id: string, overrides: Partial<NewJob> = {}): NewJob {
  return {
    id,
    operation: 'super-resolution',
    owner: 'local',
    lane: 'device',
    params: { scale: 2 },
    inputs: [{ field: 'image', blob: 'in.jpg', contentType: 'image/jpeg', bytes: 9 }],
    warnings: [],
    timeoutMs: 60_000,
    ...overrides,
  };
}
