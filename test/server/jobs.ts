import type { Job } from '#src/engine/jobs/job-store.js';

/** A completed video job as its row has it. */
export function videoJob(overrides: Partial<Job> = {}): Job {
  const createdAt = Date.parse('2026-03-09T16:10:00.250Z');
  return {
    id: 'vgen_abc123',
    operation: 'video-generation',
    owner: 'local',
    lane: 'media',
    priority: 0,
    state: 'completed',
    params: { model: 'auto', prompt: 'A drone shot', duration: 5, resolution: '720p', aspect_ratio: '16:9' },
    inputs: [],
    warnings: [],
    result: {
      outputs: [{ blob: 'video-abc123.mp4', format: 'mp4', contentType: 'video/mp4' }],
      modelActual: 'kling-o3-pro-t2v',
      warnings: [],
      facts: {},
    },
    error: null,
    errors: [],
    progress: 1,
    stage: null,
    attempt: 1,
    maxAttempts: 3,
    interruptions: 0,
    token: 1,
    cancelRequested: false,
    timeoutMs: 600_000,
    batch: null,
    webhook: null,
    autoRetry: false,
    routing: null,
    createdAt,
    runAt: createdAt,
    startedAt: createdAt,
    finishedAt: Date.parse('2026-03-09T16:12:43.900Z'),
    leaseExpiresAt: null,
    ...overrides,
  };
}
