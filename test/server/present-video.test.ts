import { noRouting, type Routing } from '#src/engine/routing/routing.js';
import { presentJob } from '#src/server/present.js';
import { presentAcceptedVideo, presentPrediction, presentSora, presentVideo } from '#src/server/present-video.js';
import { describe, expect, it } from 'vitest';
import { videoJob } from './jobs.js';

const view = { baseUrl: 'https://cdn.creativeai.run', retentionMs: 7 * 86_400_000, now: Date.parse('2026-03-10') };

/** As the sample of the API page has it. */
const routing: Routing = {
  ...noRouting,
  requested: 'kling-o3-pro-t2v',
  actual: 'kling-o3-pro-t2v',
  choice: {
    preferred: 'seedance-t2v',
    legacy: 'kling-o3-pro-t2v',
    confidenceMargin: 5,
    fallbackReason: 'insufficient_margin_over_legacy',
  },
};

describe('a completed video', () => {
  it('has every field of the API page', () => {
    expect(presentVideo(videoJob({ routing }), view)).toMatchObject({
      id: 'vgen_abc123',
      object: 'video.generation',
      model: 'auto',
      model_actual: 'kling-o3-pro-t2v',
      status: 'completed',
      prompt: 'A drone shot',
      output_url: 'https://cdn.creativeai.run/output/video-abc123.mp4',
      error: null,
      failover_used: false,
      debug: {
        provider_requested: 'kling-o3-pro-t2v',
        provider_actual: 'kling-o3-pro-t2v',
        submission_failover_used: false,
        submission_failover_reason: null,
        routing_safe_fallback_applied: true,
        routing_fallback_reason: 'insufficient_margin_over_legacy',
        routing_preferred_provider: 'seedance-t2v',
        routing_legacy_provider: 'kling-o3-pro-t2v',
        routing_confidence_margin: 5.0,
        async_capacity_failover_attempted: false,
        async_capacity_failover_reason: null,
        prediction_id_original: null,
        prediction_id_current: null,
      },
      created_at: '2026-03-09T16:10:00Z',
      completed_at: '2026-03-09T16:12:43Z',
      data: [{ url: 'https://cdn.creativeai.run/output/video-abc123.mp4' }],
      image_url: null,
      webhook_url: null,
      progress: 100,
      expires_at: '2026-03-16T16:12:43Z',
    });
  });

  it('has no debug block where nothing was routed', () => {
    expect(presentVideo(videoJob(), view)).not.toHaveProperty('debug');
  });
});

describe('a failed video', () => {
  it('has the error of contract 37, and what it was last with', () => {
    const error = { code: 'timeout' as const, message: 'Video generation timed out after 10 minutes', details: {} };
    const failed = videoJob({
      state: 'failed',
      result: null,
      error,
      routing: { ...routing, actual: 'seedance-t2v', submissionFailover: 'rate_limited' },
    });
    expect(presentVideo(failed, view)).toMatchObject({
      model: 'auto',
      model_actual: 'seedance-t2v',
      status: 'failed',
      output_url: null,
      data: [],
      error: {
        message: 'Video generation timed out after 10 minutes',
        type: 'server_error',
        code: 'generation_timeout',
      },
      failover_used: true,
      adjusted_credits: 0,
      completed_at: '2026-03-09T16:12:43Z',
    });
    expect(presentVideo({ ...failed, routing }, view)).not.toHaveProperty('adjusted_credits');
  });
});

describe('the words for the states', () => {
  it('are lower case for videos, upper case for the shared status, and Sora’s own', () => {
    const states = ['queued', 'running', 'completed', 'failed', 'cancelled'] as const;
    const jobs = states.map((state) => videoJob({ state }));
    const lower = ['pending', 'processing', 'completed', 'failed', 'failed'];
    expect(jobs.map((job) => presentVideo(job, view).status)).toEqual(lower);
    expect(jobs.map((job) => presentPrediction(job, view).status)).toEqual(lower);
    expect(jobs.map((job) => presentJob(job, 'VIDEO_GENERATION', view).status)).toEqual([
      'PENDING',
      'PROCESSING',
      'COMPLETED',
      'FAILED',
      'CANCELED',
    ]);
    expect(jobs.map((job) => presentSora(job, view).status)).toEqual([
      'queued',
      'in_progress',
      'completed',
      'failed',
      'failed',
    ]);
  });

  it('say why a cancelled one has made nothing', () => {
    const cancelled = videoJob({ state: 'cancelled', result: null });
    const error = { message: 'The job was cancelled', type: 'invalid_request_error', code: 'cancelled' };
    expect(presentVideo(cancelled, view).error).toEqual(error);
    expect(presentSora(cancelled, view).error).toEqual({ code: 'cancelled', message: 'The job was cancelled' });
  });
});

describe('an accepted video', () => {
  it('is the same at any time of its life', () => {
    const atTheDoor = { ...noRouting, requested: routing.requested };
    const queued = videoJob({ state: 'queued', result: null, routing: atTheDoor, finishedAt: null });
    expect(presentAcceptedVideo(videoJob({ routing }))).toEqual(presentAcceptedVideo(queued));
  });
});

describe('the shape of OpenAI', () => {
  it('has all of its keys and whole seconds', () => {
    const outputs = [{ blob: 'a.mp4', format: 'mp4', contentType: 'video/mp4', width: 1280, height: 720 }];
    const result = { outputs, modelActual: 'local-motion-i2v', warnings: ['silent'], facts: {} };
    expect(presentSora(videoJob({ result }), view)).toEqual({
      id: 'vgen_abc123',
      object: 'video',
      model: 'auto',
      model_actual: 'local-motion-i2v',
      status: 'completed',
      progress: 100,
      created_at: 1773072600,
      completed_at: 1773072763,
      expires_at: 1773072763 + 7 * 86_400,
      prompt: 'A drone shot',
      seconds: '5',
      size: '1280x720',
      error: null,
      remixed_from_video_id: null,
      warnings: ['silent'],
    });
  });

  it.each([
    [{ aspect_ratio: '9:16', resolution: '720p' }, '720x1280'],
    [{ aspect_ratio: '16:9', resolution: '1080p' }, '1920x1080'],
    [{ aspect_ratio: '1:1', resolution: '480p' }, '480x480'],
    [{ aspect_ratio: '21:9', resolution: '480p' }, '1120x480'],
    [{ resolution: '720p' }, '720x1280'],
  ])('says of %j before it is made that it will be %s', (params, size) => {
    expect(presentSora(videoJob({ params, result: null }), view).size).toBe(size);
  });
});
