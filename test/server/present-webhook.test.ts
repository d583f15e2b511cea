import type { Batch, Job, JobResult } from '#src/engine/jobs/job-store.js';
import { noRouting } from '#src/engine/routing/routing.js';
import { familyOf, webhookPresenter } from '#src/server/present-webhook.js';
import { describe, expect, it } from 'vitest';
import { videoJob } from './jobs.js';

const finishedAt = Date.parse('2026-03-09T16:12:43.900Z');
const baseUrl = 'https://cdn.creativeai.run';

const job = (overrides: Partial<Job> = {}): Job =>
  videoJob({
    params: { model: 'auto', prompt: 'A drone shot', duration: 5 },
    result: { ...videoJob().result, modelActual: 'seedance-t2v' } as JobResult,
    routing: { ...noRouting, submissionFailover: 'unavailable' },
    finishedAt,
    ...overrides,
  });

const failed = (code: 'timeout' | 'internal', message: string): Partial<Job> => ({
  state: 'failed',
  result: null,
  error: { code, message, details: {}, cause: '/secret/stack' },
});

describe('the message of a job', () => {
  it('is that of contract 78 for a video', () => {
    expect(webhookPresenter.job(job(), baseUrl)).toEqual({
      event: 'video.generation.completed',
      body: {
        id: 'vgen_abc123',
        object: 'video.generation',
        status: 'completed',
        model: 'auto',
        model_actual: 'seedance-t2v',
        prompt: 'A drone shot',
        output_url: 'https://cdn.creativeai.run/output/video-abc123.mp4',
        error_message: null,
        credits: 0,
        failover_used: true,
        completed_at: '2026-03-09T16:12:43Z',
      },
    });
  });

  it('has the error twice and the refund for one that failed, and nothing that is the operator’s', () => {
    const timedOut = job(failed('timeout', 'Video generation timed out after 10 minutes'));
    const message = webhookPresenter.job(timedOut, baseUrl);
    expect(message).toMatchObject({
      event: 'video.generation.failed',
      body: {
        status: 'failed',
        output_url: null,
        error: {
          message: 'Video generation timed out after 10 minutes',
          type: 'server_error',
          code: 'generation_timeout',
        },
        error_message: 'Video generation timed out after 10 minutes',
        credits: 0,
        credits_refunded: 0,
      },
    });
    expect(JSON.stringify(message)).not.toContain('secret');
  });

  it('says of a cancelled job that it failed, and why', () => {
    expect(webhookPresenter.job(job({ state: 'cancelled', result: null }), baseUrl)).toMatchObject({
      event: 'video.generation.failed',
      body: { status: 'failed', error: { code: 'cancelled' }, error_message: 'The job was cancelled' },
    });
  });

  it('has the words of the request and the measures of the result', () => {
    const outputs = [{ blob: 'a.png', format: 'png', contentType: 'image/png', width: 1024, height: 768 }];
    const result = { outputs, modelActual: 'm', warnings: [], facts: { revisedPrompt: 'A mug, lit well' } };
    const image = job({ operation: 'image-generation', params: { prompt: 'A mug' }, result });
    expect(webhookPresenter.job(image, baseUrl).body).toMatchObject({
      object: 'image.generation',
      prompt: 'A mug',
      revised_prompt: 'A mug, lit well',
      width: 1024,
      height: 768,
    });
    const voice = job({
      operation: 'voice',
      params: { text: 'Welcome', voice: 'alloy', language: 'en', speed: 1 },
      result: {
        ...result,
        outputs: [{ blob: 'a.mp3', format: 'mp3', contentType: 'audio/mpeg' }],
        facts: { durationSeconds: 4.2 },
      },
    });
    expect(webhookPresenter.job(voice, baseUrl)).toMatchObject({
      event: 'voice.generation.completed',
      body: { text: 'Welcome', voice: 'alloy', language: 'en', duration_seconds: 4.2 },
    });
  });
});

describe('the message of a batch', () => {
  const batchOf = (...jobs: Job[]): Batch => ({
    id: 'video_batch_abc123',
    operation: 'video-generation',
    owner: 'local',
    webhook: null,
    createdAt: finishedAt - 1000,
    finishedAt,
    jobs,
  });

  it('is that of contract 78, also when some of it failed', () => {
    const batch = batchOf(job({ id: 'vid_1' }), job({ id: 'vid_2', ...failed('internal', 'Internal error') }));
    expect(webhookPresenter.batch(batch, baseUrl)).toEqual({
      event: 'video.batch.completed',
      body: {
        batch_id: 'video_batch_abc123',
        object: 'video.batch',
        status: 'completed',
        total_jobs: 2,
        completed: 1,
        failed: 1,
        jobs: [
          {
            id: 'vid_1',
            prompt: 'A drone shot',
            status: 'completed',
            output_url: 'https://cdn.creativeai.run/output/video-abc123.mp4',
            error_message: null,
            credits: 0,
          },
          {
            id: 'vid_2',
            prompt: 'A drone shot',
            status: 'failed',
            output_url: null,
            error_message: 'Internal error',
            credits: 0,
          },
        ],
        total_credits: 0,
        completed_at: '2026-03-09T16:12:43Z',
      },
    });
  });

  it('has failed when all of it has', () => {
    const batch = batchOf(job(failed('internal', 'Internal error')), job({ state: 'cancelled', result: null }));
    expect(webhookPresenter.batch(batch, baseUrl)).toMatchObject({
      event: 'video.batch.failed',
      body: { status: 'failed', completed: 0, failed: 2 },
    });
  });
});

describe('familyOf', () => {
  it.each([
    ['video-generation', 'video'],
    ['image-generation', 'image'],
    ['background-removal', 'background_removal'],
    ['super-resolution', 'super_resolution'],
    ['image-restoration', 'image_restoration'],
    ['chart-to-video', 'chart_video'],
    ['voice', 'voice'],
    ['compose', 'compose'],
  ])('calls %s %s', (operation, family) => {
    expect(familyOf(operation)).toBe(family);
  });
});
