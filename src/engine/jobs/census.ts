import { type Lane, lanes } from '../operations/operation.js';
import { type JobState, jobStates, type QueueStats } from './job-store.js';
import type { JobTable } from './rows.js';

/** When the next queued job of the lane becomes due, or null. */
export function findNextRunAt({ db }: JobTable, lane: Lane): number | null {
  const next = db.get<{ run_at: number | null }>(
    `SELECT min(run_at) AS run_at FROM jobs WHERE state = 'queued' AND lane = @lane`,
    { lane },
  );
  return next?.run_at ?? null;
}

/** How many jobs there are in each state, and how long the queue makes them wait. */
export function readStats(table: JobTable): QueueStats {
  const counts = table.db.all<{ state: JobState; lane: Lane; jobs: number }>(
    'SELECT state, lane, jobs FROM job_counts',
  );
  const sum = (rows: typeof counts) => rows.reduce((total, { jobs }) => total + jobs, 0);
  const inState = (state: JobState) => counts.filter((count) => count.state === state);
  return {
    states: tally(jobStates, (state) => sum(inState(state))),
    queued: tally(lanes, (lane) => sum(inState('queued').filter((count) => count.lane === lane))),
    oldestAgeMs: Math.max(
      0,
      ...lanes.map((lane) => table.now() - (findNextRunAt(table, lane) ?? Number.POSITIVE_INFINITY)),
    ),
  };
}

function tally<Name extends string>(names: readonly Name[], count: (name: Name) => number): Record<Name, number> {
  return Object.fromEntries(names.map((name) => [name, count(name)])) as Record<Name, number>;
}
