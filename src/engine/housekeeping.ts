import type { BlobStore } from './blobs/blob-store.js';
import type { JobStore } from './jobs/job-store.js';
import type { Log } from './log.js';

const everyMs = 600_000;

export interface HouseParts {
  jobs: JobStore;
  blobs: BlobStore;
  /** How long results and ended jobs are kept. */
  retentionMs: number;
  log: Log;
}

/**
 * Removes what is past its time, now and every ten minutes; the returned function ends that. Rows outlive their files
 * by the same time again, so that a status can still say that its output has expired.
 */
export function keepHouse({ jobs, blobs, retentionMs, log }: HouseParts): () => Promise<void> {
  let running: Promise<void> = Promise.resolve();
  const clean = async () => {
    try {
      const removed = { blobs: await blobs.prune(), jobs: await jobs.prune(Date.now() - 2 * retentionMs) };
      if (removed.blobs + removed.jobs > 0) log.info(removed, 'removed what is past its retention');
    } catch (error) {
      log.error({ error }, 'housekeeping failed; trying again later');
    }
  };
  const next = () => {
    running = running.then(clean);
  };
  next();
  const timer = setInterval(next, everyMs);
  return () => {
    clearInterval(timer);
    return running;
  };
}
