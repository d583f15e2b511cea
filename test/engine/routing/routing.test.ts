import { describe, expect, it } from 'vitest';
import type { RemoteCall } from '#src/engine/remote/calls.js';
import { debugBlock, noRouting } from '#src/engine/routing/routing.js';

/** The keys that the public API page shows, in its order. */
const keys = [
  'provider_requested',
  'provider_actual',
  'submission_failover_used',
  'submission_failover_reason',
  'routing_safe_fallback_applied',
  'routing_fallback_reason',
  'routing_preferred_provider',
  'routing_legacy_provider',
  'routing_confidence_margin',
  'async_capacity_failover_attempted',
  'async_capacity_failover_reason',
  'prediction_id_original',
  'prediction_id_current',
];

function call(id: string | null): RemoteCall {
  return {
    externalId: `vgen_1-${id}`,
    backend: 'kling/kling-v3-t2v',
    provider: 'kling',
    credential: 'kling-1',
    baseUrl: 'https://example.com',
    path: '/v1/videos/text2video',
    callbackToken: 'secret',
    state: 'accepted',
    ticket: id === null ? null : { id, path: '/v1/videos/text2video' },
    warnings: [],
    failure: null,
    sentAt: 0,
    endedAt: null,
  };
}

describe('debugBlock', () => {
  it('has exactly the keys of the public API, before and after anything was decided', () => {
    expect(Object.keys(debugBlock(noRouting) ?? {})).toEqual(keys);
    expect(debugBlock(null)).toBeNull();
  });

  it('names the first and the last id that services gave, and why the job was handed on', () => {
    const routing = {
      ...noRouting,
      requested: 'kling-v3-t2v',
      actual: 'seedance-t2v',
      asyncFailover: 'it had no room',
      choice: {
        preferred: 'seedance-t2v',
        legacy: 'kling-v3-t2v',
        confidenceMargin: 5,
        fallbackReason: 'insufficient_margin_over_legacy' as const,
      },
      calls: [call('first'), call(null), call('last')],
    };
    expect(debugBlock(routing)).toEqual({
      provider_requested: 'kling-v3-t2v',
      provider_actual: 'seedance-t2v',
      submission_failover_used: false,
      submission_failover_reason: null,
      routing_safe_fallback_applied: true,
      routing_fallback_reason: 'insufficient_margin_over_legacy',
      routing_preferred_provider: 'seedance-t2v',
      routing_legacy_provider: 'kling-v3-t2v',
      routing_confidence_margin: 5,
      async_capacity_failover_attempted: true,
      async_capacity_failover_reason: 'it had no room',
      prediction_id_original: 'first',
      prediction_id_current: 'last',
    });
  });
});
