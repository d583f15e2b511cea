import { describe, expect, it } from 'vitest';
import type { Job } from '#src/engine/jobs/job-store.js';
import { generationHeaders, presentAccepted, presentImages, presentJob } from '#src/server/present.js';

const second = 1_000;
const day = 86_400 * second;
const createdAt = Date.UTC(2026, 2, 27, 18, 30, 0, 123);
const view = { baseUrl: 'http://localhost:8787', retentionMs: 7 * day, now: createdAt + day };

const completed: Job = {
  id: 'bgrm_1',
  operation: 'background-removal',
  owner: 'local',
  lane: 'device',
  priority: 0,
  state: 'completed',
  params: { model: 'auto', format: 'png' },
  inputs: [{ field: 'image', blob: 'secret.bin', contentType: 'image/png', bytes: 3 }],
  warnings: ['Unknown field `colour`'],
  result: {
    outputs: [{ blob: 'abc.png', format: 'png', contentType: 'image/png', width: 8, height: 6 }],
    modelActual: 'cutout-s',
    warnings: ['Alpha was flattened'],
    facts: { device: 'cpu', stageMs: { infer: 3 } },
  },
  error: null,
  errors: [
    { attempt: 1, at: createdAt, code: 'crashed', message: 'The host died', details: {}, cause: '/secret/stack' },
  ],
  progress: 0.4,
  stage: 'encode',
  attempt: 2,
  maxAttempts: 3,
  interruptions: 0,
  token: 2,
  cancelRequested: false,
  batch: null,
  webhook: null,
  autoRetry: false,
  routing: null,
  timeoutMs: 60_000,
  createdAt,
  runAt: createdAt,
  startedAt: createdAt + second,
  finishedAt: createdAt + 12 * second,
  leaseExpiresAt: null,
};

describe('presentJob', () => {
  it('shows a completed job, and nothing that is the operator’s', () => {
    expect(presentJob(completed, 'BACKGROUND_REMOVAL', view)).toEqual({
      id: 'bgrm_1',
      type: 'BACKGROUND_REMOVAL',
      model: 'auto',
      model_actual: 'cutout-s',
      status: 'COMPLETED',
      progress: 100,
      stage: null,
      output_url: 'http://localhost:8787/output/abc.png',
      data: [{ url: 'http://localhost:8787/output/abc.png', content_type: 'image/png', width: 8, height: 6 }],
      expires_at: '2026-04-03T18:30:12Z',
      expired: false,
      error: null,
      warnings: ['Unknown field `colour`', 'Alpha was flattened'],
      parameters: { format: 'png' },
      webhook_url: null,
      credits: 0,
      failover_used: false,
      debug: { device: 'cpu', stage_ms: { infer: 3 } },
      created_at: '2026-03-27T18:30:00Z',
      completed_at: '2026-03-27T18:30:12Z',
    });
  });

  it('says when the outputs are no longer kept', () => {
    const later = { ...view, now: createdAt + 8 * day };
    expect(presentJob(completed, 'BACKGROUND_REMOVAL', later)).toMatchObject({ status: 'COMPLETED', expired: true });
  });

  it('shows the reason of a failed job and never its cause', () => {
    const error = { code: 'crashed' as const, message: 'The host died', details: {}, cause: '/secret/stack' };
    const failed = presentJob({ ...completed, state: 'failed', result: null, error }, 'BACKGROUND_REMOVAL', view);
    expect(failed).toMatchObject({
      status: 'FAILED',
      error: { message: 'The host died', type: 'server_error', code: 'generation_failed' },
      output_url: null,
      expired: false,
      expires_at: null,
      completed_at: '2026-03-27T18:30:12Z',
    });
    expect(JSON.stringify(failed)).not.toContain('secret');
  });

  it('spells CANCELED as the public API does', () => {
    expect(presentJob({ ...completed, state: 'cancelled', result: null }, 'X', view).status).toBe('CANCELED');
  });
});

describe('presentAccepted', () => {
  it('is the same for a job at any time of its life', () => {
    const queued: Job = { ...completed, state: 'queued', result: null, progress: 0, stage: null, finishedAt: null };
    const running: Job = { ...queued, state: 'running', progress: 0.7, stage: 'infer' };
    const bodies = [queued, running, completed].map((job) => presentAccepted(job, 'BACKGROUND_REMOVAL', view));
    expect(bodies[0]).toMatchObject({
      status: 'PENDING',
      progress: 0,
      output_url: null,
      debug: null,
      completed_at: null,
    });
    expect(bodies[1]).toEqual(bodies[0]);
    expect(bodies[2]).toEqual(bodies[0]);
  });
});

describe('presentImages', () => {
  it('has the OpenAI image shape with whole seconds', () => {
    expect(presentImages(completed, view)).toMatchObject({
      created: Math.floor(createdAt / 1000) + 12,
      data: [{ url: 'http://localhost:8787/output/abc.png' }],
    });
  });
});

describe('generationHeaders', () => {
  it('name the model that was asked for until one has served', () => {
    expect(generationHeaders(completed)['x-model-actual']).toBe('cutout-s');
    expect(generationHeaders({ ...completed, result: null })['x-model-actual']).toBe('auto');
    expect(generationHeaders({ ...completed, result: null, params: { model: 'cutout-l' } })['x-model-actual']).toBe(
      'cutout-l',
    );
  });
});

describe('the verdict on a result', () => {
  const quality = { coverage: 0.4, confidence: 0.9, warnings: ['The background’s colour shows along the edges'] };
  const judged = {
    ...completed,
    result: completed.result && { ...completed.result, facts: { device: 'cpu', quality } },
  };

  it('stands in every answer and in debug', () => {
    expect(presentJob(judged, 'BACKGROUND_REMOVAL', view)).toMatchObject({ quality, debug: { quality } });
    expect(presentImages(judged, view)).toMatchObject({ quality });
    expect(presentJob(completed, 'BACKGROUND_REMOVAL', view)).not.toHaveProperty('quality');
  });

  it('comes as a header of plain ASCII with a picture', () => {
    const header = generationHeaders(judged)['x-quality'] ?? '';
    expect(header).toMatch(/^[\x20-\x7e]+$/);
    expect(JSON.parse(header)).toEqual(quality);
    expect(generationHeaders(completed)).not.toHaveProperty('x-quality');
  });
});
