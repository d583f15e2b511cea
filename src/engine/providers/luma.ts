import { z } from 'zod';
import type { Capabilities } from '../routing/backend.js';
import { type FailureKind, ProviderFailure } from '../routing/failure.js';
import { failedJob, idShape, kindOf, read } from './answers.js';
import { defined, leftOut, picture, videoOrder } from './orders.js';
import type { ApiAnswer, ModelRow, Picture, Progress, Provider } from './provider.js';

/** Luma Dream Machine. It takes pictures by address only, and its calls to us are not signed. */
export const luma: Provider = {
  name: 'luma',
  title: 'Luma',
  baseUrl: 'https://api.lumalabs.ai/dream-machine/v1',
  rows: [...rows('ray-2', 60), ...rows('ray-flash-2', 25)],
  pollMs: 5_000,
  authorize: ({ key }) => ({ authorization: `Bearer ${key}` }),

  submission(assignment) {
    const order = videoOrder(assignment);
    const frames = {
      frame0: keyframe(picture(assignment, 'first-frame')),
      frame1: keyframe(picture(assignment, 'last-frame')),
    };
    const json = defined({
      model: assignment.row.upstream,
      prompt: order.prompt,
      aspect_ratio: order.ratio ?? (frames.frame0 ? undefined : '16:9'),
      duration: `${order.duration}s`,
      resolution: order.resolution,
      keyframes: frames.frame0 || frames.frame1 ? defined(frames) : undefined,
      callback_url: assignment.callbackUrl,
    });
    return { method: 'POST', path: '/generations/video', json, warnings: leftOut(order, [], 'Luma') };
  },

  accept(answer, { path }) {
    return { ticket: { id: read(z.object({ id: idShape }), answer).id, path } };
  },

  async poll({ id }, api) {
    return progress(await api.send({ method: 'GET', path: `/generations/${encodeURIComponent(id)}` }));
  },

  async cancel({ id }, api) {
    await api.send({ method: 'DELETE', path: `/generations/${encodeURIComponent(id)}` });
  },

  explain({ status, json }) {
    const words = String(Object(json).detail ?? '');
    if (/insufficient credits/i.test(words)) return new ProviderFailure('budget', `Luma refused (${status}): ${words}`);
    if (/moderation|not allowed|content policy/i.test(words)) {
      return new ProviderFailure('content', `Luma refused (${status}): ${words}`);
    }
    return null;
  },
};

function rows(name: string, price: number): ModelRow[] {
  const able: Capabilities = {
    duration: [5, 9],
    resolution: ['720p', '1080p'],
    aspect_ratio: ['1:1', '16:9', '9:16', '4:3', '3:4', '21:9'],
  };
  const common = {
    operation: 'video-generation' as const,
    names: [name, `${name}-t2v`, `${name}-i2v`],
    upstream: name,
    price,
  };
  return [
    { ...common, model: `${name}-t2v`, capabilities: { ...able, input: ['text'] } },
    {
      ...common,
      model: `${name}-i2v`,
      capabilities: { ...able, input: ['image'], last_frame: [1] },
      options: { needsUrl: true },
    },
  ];
}

function keyframe(image: Picture | undefined): { type: 'image'; url: string } | undefined {
  if (!image) return undefined;
  if (image.url !== null) return { type: 'image', url: image.url };
  throw new ProviderFailure(
    'unfit',
    'Luma fetches pictures itself: set PUBLIC_BASE_URL to an address that it can reach',
  );
}

const shape = z.object({
  state: z.string(),
  failure_reason: z.string().nullish(),
  assets: z.object({ video: z.string().nullish() }).nullish(),
});

function progress(answer: ApiAnswer): Progress {
  const { state, failure_reason, assets } = read(shape, answer);
  if (state === 'completed' && assets?.video) return { state: 'done', files: [{ url: assets.video }] };
  if (state === 'queued' || state === 'dreaming') return { state: 'waiting', isHeld: state === 'queued' };
  const words = failure_reason ?? `the generation is ${state}`;
  throw failedJob(kindOf(words, reasons) ?? 'transient', `Luma failed: ${words}`);
}

const reasons: readonly (readonly [RegExp, FailureKind])[] = [
  [/moderat|not allowed|policy|nsfw/i, 'content'],
  [/capacity|concurren/i, 'capacity'],
];
