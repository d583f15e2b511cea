import type { BackendRecord } from '../jobs/outcome-store.js';

/** Outcomes that a backend is taken to have had before its first: a new one is neither trusted nor written off. */
const priorOutcomes = 4;
const priorRate = 0.75;
/** Fewer outcomes than this say nothing. */
const fewestOutcomes = 5;
/** A job that takes this long is worth no points for its speed, one that takes no time all of them. */
const slowestMs = 300_000;
const weights = { success: 70, rating: 20, speed: 10 };

/**
 * What a backend is worth, 0..100, from how its jobs have ended (smoothed, so that one lucky job is no 100), what users
 * said of the results and how long they took; null while there are too few outcomes.
 */
export function scoreOf({ outcomes, successes, meanMs, ratings, meanRating }: BackendRecord): number | null {
  if (outcomes < fewestOutcomes) return null;
  const success = (successes + priorOutcomes * priorRate) / (outcomes + priorOutcomes);
  const rating = ((meanRating ?? 0) * ratings + priorRate * priorOutcomes) / (ratings + priorOutcomes);
  const speed = meanMs === null ? 0 : Math.max(0, 1 - meanMs / slowestMs);
  return weights.success * success + weights.rating * rating + weights.speed * speed;
}
