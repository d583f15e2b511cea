import type { RemoteCall } from '../remote/calls.js';

/** What the router has decided about a job and where that stands; kept in the job's row, so that a restart goes on from it. */
export interface Routing {
  /** Concrete model of the backend that was chosen first: `kling-o3-pro-i2v`. */
  requested: string | null;
  /** Concrete model of the backend that has the job now, or had it last. */
  actual: string | null;
  /** Why it was handed on before anybody had taken it; null if it was not. */
  submissionFailover: string | null;
  /** Why it was handed on after somebody had taken it; null if it was not. */
  asyncFailover: string | null;
  choice: Choice;
  /** Every submission, in order. */
  calls: RemoteCall[];
}

/** How the first backend was chosen, where more than one could have been. */
export interface Choice {
  /** What the scores would choose; null if they were not asked. */
  preferred: string | null;
  /** What is chosen without them. */
  legacy: string | null;
  /** By how much a score has to be better; null if they were not asked. */
  confidenceMargin: number | null;
  /** Why the scores were not followed; null if they were, or were not asked. */
  fallbackReason: 'insufficient_margin_over_legacy' | 'no_outcomes_yet' | null;
}

export const noChoice: Choice = { preferred: null, legacy: null, confidenceMargin: null, fallbackReason: null };

/** The routing of a job before anything has been decided. */
export const noRouting: Routing = {
  requested: null,
  actual: null,
  submissionFailover: null,
  asyncFailover: null,
  choice: noChoice,
  calls: [],
};

/** The debug block of a job, with exactly the keys of the public API; null for a job that was not routed. */
export function debugBlock(routing: Routing | null) {
  if (routing === null) return null;
  const { choice } = routing;
  const ids = routing.calls.flatMap(({ ticket }) => (ticket ? [ticket.id] : []));
  return {
    provider_requested: routing.requested,
    provider_actual: routing.actual,
    submission_failover_used: routing.submissionFailover !== null,
    submission_failover_reason: routing.submissionFailover,
    routing_safe_fallback_applied: choice.fallbackReason !== null,
    routing_fallback_reason: choice.fallbackReason,
    routing_preferred_provider: choice.preferred,
    routing_legacy_provider: choice.legacy,
    routing_confidence_margin: choice.confidenceMargin,
    async_capacity_failover_attempted: routing.asyncFailover !== null,
    async_capacity_failover_reason: routing.asyncFailover,
    prediction_id_original: ids[0] ?? null,
    prediction_id_current: ids.at(-1) ?? null,
  };
}
