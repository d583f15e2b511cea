import { z } from 'zod';
import type { Capabilities } from '../routing/backend.js';
import { type FailureKind, ProviderFailure } from '../routing/failure.js';
import { failedJob, glean, idShape, kindOf, read } from './answers.js';
import {
  allRatios,
  dataUri,
  defined,
  imageOrder,
  leftOut,
  nearestRatio,
  picture,
  picturesOf,
  videoOrder,
} from './orders.js';
import type { ApiAnswer, Assignment, ModelRow, Progress, Provider } from './provider.js';
import { isSigned } from './standard-webhooks.js';

/** Replicate's predictions. What they made is deleted after an hour. */
export const replicate: Provider = {
  name: 'replicate',
  title: 'Replicate',
  baseUrl: 'https://api.replicate.com/v1',
  rows: [...seedanceRows('seedance-1.0-pro', 'bytedance/seedance-1-pro'), ...imageRows()],
  pollMs: 3_000,
  authorize: ({ key }) => ({ authorization: `Bearer ${key}` }),

  submission(assignment) {
    const { row, callbackUrl } = assignment;
    const { input, warnings } = row.operation === 'video-generation' ? clip(assignment) : pictures(assignment);
    const [model, version] = row.upstream.split(':');
    const webhook = callbackUrl === null ? {} : { webhook: callbackUrl, webhook_events_filter: ['completed'] };
    const json = { ...(version && { version }), input, ...webhook };
    // Longer than we wait: what we lose sight of ends by itself.
    const headers = { 'cancel-after': '15m' };
    return { method: 'POST', path: version ? '/predictions' : `/models/${model}/predictions`, headers, json, warnings };
  },

  accept(answer, { path }) {
    return { ticket: { id: read(z.object({ id: idShape }), answer).id, path } };
  },

  async poll({ id }, api) {
    return progress(await api.send({ method: 'GET', path: `/predictions/${encodeURIComponent(id)}` }));
  },

  async cancel({ id }, api) {
    await api.send({ method: 'POST', path: `/predictions/${encodeURIComponent(id)}/cancel` });
  },

  explain,

  // The secret is base64 after its prefix.
  verify(callback, { secret, now }) {
    return secret === null || isSigned(callback, Buffer.from(secret.replace(/^whsec_/, ''), 'base64'), now);
  },
};

function seedanceRows(name: string, upstream: string): ModelRow[] {
  const common = {
    operation: 'video-generation' as const,
    names: [name, `${name}-t2v`, `${name}-i2v`],
    upstream,
    price: 30,
  };
  const able: Capabilities = {
    duration: { min: 3, max: 12 },
    resolution: ['480p', '720p', '1080p'],
    aspect_ratio: allRatios,
  };
  return [
    { ...common, model: `${name}-t2v`, capabilities: { ...able, input: ['text'] } },
    { ...common, model: `${name}-i2v`, capabilities: { ...able, input: ['image'], last_frame: [1] } },
  ];
}

function imageRows(): ModelRow[] {
  const common = { names: [], price: 2 };
  return [
    {
      ...common,
      operation: 'image-generation',
      model: 'flux-pro',
      upstream: 'black-forest-labs/flux-1.1-pro',
      capabilities: { input: ['text'], size: 'any' },
    },
    {
      ...common,
      operation: 'image-edit',
      model: 'flux-kontext-pro',
      upstream: 'black-forest-labs/flux-kontext-pro',
      capabilities: { input: ['image'], size: 'any' },
    },
  ];
}

interface Said {
  input: Record<string, unknown>;
  warnings: string[];
}

function clip(assignment: Assignment): Said {
  const order = videoOrder(assignment);
  const [first, last] = [picture(assignment, 'first-frame'), picture(assignment, 'last-frame')];
  const input = defined({
    prompt: order.prompt,
    image: first && dataUri(first),
    last_frame_image: last && dataUri(last),
    duration: order.duration,
    resolution: order.resolution,
    aspect_ratio: first ? undefined : (order.ratio ?? '16:9'),
    seed: order.seed,
  });
  return { input, warnings: leftOut(order, ['seed'], 'this model on Replicate') };
}

function pictures(assignment: Assignment): Said {
  const order = imageOrder(assignment);
  const [source] = picturesOf(assignment, 'source');
  const input = defined({
    prompt: order.prompt,
    input_image: source && dataUri(source),
    aspect_ratio: order.size ? nearestRatio(order.size, allRatios) : undefined,
    output_format: order.format,
    seed: order.seed,
  });
  const shape = order.size ? [`\`size\` became the nearest ratio, ${input.aspect_ratio}`] : [];
  return { input, warnings: [...shape, ...leftOut(order, ['seed'], 'this model on Replicate')] };
}

const predictionShape = z.object({
  status: z.string(),
  output: z.unknown().optional(),
  error: z.unknown().optional(),
  data_removed: z.boolean().nullish(),
});

function progress(answer: ApiAnswer): Progress {
  const { status, output, error, data_removed } = read(predictionShape, answer);
  if (status === 'starting' || status === 'processing') return { state: 'waiting', isHeld: status === 'starting' };
  if (status === 'succeeded') {
    const urls = [output].flat().filter((url): url is string => typeof url === 'string');
    if (urls.length > 0) return { state: 'done', files: urls.map((url) => ({ url })) };
    const why = data_removed ? 'Replicate has deleted the result' : 'Replicate finished the job without a result';
    throw failedJob('transient', why);
  }
  const words = typeof error === 'string' && error !== '' ? error : `the prediction is ${status}`;
  throw failedJob(kindOf(words, reasons) ?? 'transient', `Replicate failed: ${words.slice(0, 300)}`, {
    upstreamCode: status,
  });
}

const reasons: readonly (readonly [RegExp, FailureKind])[] = [
  [/nsfw|sensitive|flagged|safety|E005/i, 'content'],
  [/queue is full|overload|capacity/i, 'capacity'],
];

/** `Request was throttled. Your rate limit resets in ~30s.` says when in words only. */
function explain(answer: ApiAnswer): ProviderFailure | null {
  const said = glean(z.object({ detail: z.string() }), answer);
  if (answer.status !== 429 || !said) return null;
  const [, seconds] = /resets? in ~?(\d+)\s*s/i.exec(said.detail) ?? [];
  return new ProviderFailure('capacity', `Replicate refused (429): ${said.detail}`, {
    upstreamCode: '429',
    ...(seconds !== undefined && { retryAfterMs: Number(seconds) * 1000 }),
  });
}
