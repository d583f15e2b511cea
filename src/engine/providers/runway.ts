import { z } from 'zod';
import type { Capabilities } from '../routing/backend.js';
import { ProviderFailure, type FailureKind } from '../routing/failure.js';
import { failedJob, idShape, kindOf, read } from './answers.js';
import { dataUri, defined, leftOut, picture, videoOrder } from './orders.js';
import type { ApiAnswer, ModelRow, Progress, Provider } from './provider.js';

/** Runway names a ratio by its pixels. */
const pixelRatios: Record<string, string> = {
  '16:9': '1280:720',
  '9:16': '720:1280',
  '4:3': '1104:832',
  '3:4': '832:1104',
  '1:1': '960:960',
  '21:9': '1584:672',
};

/** Runway. Text and picture have a path of their own each, and the wrong one is a 400. */
export const runway: Provider = {
  name: 'runway',
  title: 'Runway',
  baseUrl: 'https://api.dev.runwayml.com',
  rows: rows(),
  // Not faster than 5 s; its own client waits 6.
  pollMs: 6_000,
  authorize: ({ key }) => ({ authorization: `Bearer ${key}`, 'x-runway-version': '2024-11-06' }),

  submission(assignment) {
    const order = videoOrder(assignment);
    const [first, last] = [picture(assignment, 'first-frame'), picture(assignment, 'last-frame')];
    const positions = last &&
      first && [
        { uri: dataUri(first), position: 'first' },
        { uri: dataUri(last), position: 'last' },
      ];
    const json = defined({
      model: assignment.row.upstream,
      promptText: order.prompt.slice(0, maxPromptLength),
      promptImage: positions ?? (first && dataUri(first)),
      ratio: ratioFor(order.ratio ?? '16:9'),
      duration: order.duration,
      seed: order.seed,
    });
    const isCut = order.prompt.length > maxPromptLength;
    const warnings = [
      ...(isCut ? [`\`prompt\` was cut after ${maxPromptLength} characters, which is all that Runway takes`] : []),
      ...leftOut(order, ['seed'], 'Runway'),
    ];
    return { method: 'POST', path: first ? '/v1/image_to_video' : '/v1/text_to_video', json, warnings };
  },

  accept(answer, { path }) {
    return { ticket: { id: read(z.object({ id: idShape }), answer).id, path } };
  },

  async poll({ id }, api) {
    return progress(await api.send({ method: 'GET', path: `/v1/tasks/${encodeURIComponent(id)}` }));
  },

  async cancel({ id }, api) {
    await api.send({ method: 'DELETE', path: `/v1/tasks/${encodeURIComponent(id)}` });
  },

  explain,
};

/** UTF-16 units, as JavaScript counts. */
const maxPromptLength = 1000;

function ratioFor(ratio: string): string {
  return pixelRatios[ratio] ?? (pixelRatios['16:9'] as string);
}

function rows(): ModelRow[] {
  const able: Capabilities = { duration: { min: 2, max: 10 }, resolution: ['720p'] };
  const common = { operation: 'video-generation' as const, upstream: 'gen4.5', price: 50 };
  const names = ['gen4.5', 'gen4.5-t2v', 'gen4.5-i2v'];
  return [
    {
      ...common,
      names,
      model: 'gen4.5-t2v',
      capabilities: { ...able, input: ['text'], aspect_ratio: ['16:9', '9:16'] },
    },
    {
      ...common,
      names,
      model: 'gen4.5-i2v',
      capabilities: { ...able, input: ['image'], aspect_ratio: Object.keys(pixelRatios) },
    },
    {
      ...common,
      names: ['gen4_turbo', 'gen4_turbo-i2v'],
      model: 'gen4_turbo-i2v',
      upstream: 'gen4_turbo',
      capabilities: { ...able, input: ['image'], aspect_ratio: Object.keys(pixelRatios) },
      price: 25,
    },
  ];
}

const taskShape = z.object({
  status: z.string(),
  progress: z.number().nullish(),
  output: z.array(z.string()).nullish(),
  failure: z.string().nullish(),
  failureCode: z.string().nullish(),
});

function progress(answer: ApiAnswer): Progress {
  const { status, output, failure, failureCode, ...task } = read(taskShape, answer);
  const [url] = output ?? [];
  if (status === 'SUCCEEDED' && url !== undefined) return { state: 'done', files: [{ url }] };
  if (status === 'RUNNING') return { state: 'waiting', fraction: task.progress ?? 0 };
  if (status === 'PENDING' || status === 'THROTTLED') return { state: 'waiting', isHeld: true };
  const code = failureCode ?? status;
  const kind = kindOf(code, failureCodes) ?? 'transient';
  throw failedJob(kind, `Runway failed (${code}): ${failure ?? 'no reason given'}`, { upstreamCode: code });
}

const failureCodes: readonly (readonly [RegExp, FailureKind])[] = [
  [/^SAFETY/, 'content'],
  [/^(ASSET\.INVALID|INPUT_PREPROCESSING\.SAFETY)/, 'invalid'],
];

/** The daily generations of the tier are a budget, though they come as 429. */
function explain(answer: ApiAnswer): ProviderFailure | null {
  const words = String(Object(answer.json).error ?? '');
  const isBudget = answer.status === 429 && /daily|credits?/i.test(words);
  if (!isBudget && !/not enough credits|insufficient credits/i.test(words)) return null;
  return new ProviderFailure('budget', `Runway refused (${answer.status}): ${words}`, {
    upstreamCode: String(answer.status),
  });
}
