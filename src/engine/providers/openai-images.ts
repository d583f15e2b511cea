import { z } from 'zod';
import { ProviderFailure, type FailureKind } from '../routing/failure.js';
import type { ImageOrder } from '../routing/order.js';
import { failedJob, glean, kindOf, read } from './answers.js';
import { asBlob, defined, fileName, imageOrder, leftOut, picturesOf } from './orders.js';
import type { ApiAnswer, Assignment, Provider, RemoteFile, Submission } from './provider.js';

/** OpenAI's images API and whoever speaks the same: the picture is the answer. Models live in settings: they are shut down too often for code. */
export const openaiImages: Provider = {
  name: 'openai-images',
  title: 'The images API',
  baseUrl: 'https://api.openai.com/v1',
  rows: [],
  pollMs: 1_000,
  submitMs: 300_000,
  // Without an answer there is no picture, and no picture is billed.
  isFailureFree: true,
  authorize: ({ key }) => ({ authorization: `Bearer ${key}` }),

  submission(assignment) {
    return assignment.row.operation === 'image-edit' ? edit(assignment) : generation(assignment);
  },

  accept: (answer) => ({ files: filesIn(answer) }),
  explain,
};

function fieldsOf(order: ImageOrder, model: string): Record<string, unknown> {
  return defined({
    model,
    prompt: order.prompt,
    n: order.count,
    size: order.size ? `${order.size.width}x${order.size.height}` : 'auto',
    quality: order.quality === 'hd' ? 'high' : undefined,
    background: order.isTransparent ? 'transparent' : undefined,
    output_format: order.format === 'jpg' ? 'jpeg' : order.format,
  });
}

function generation(assignment: Assignment): Submission {
  const order = imageOrder(assignment);
  const json = fieldsOf(order, assignment.row.upstream);
  return { method: 'POST', path: '/images/generations', json, warnings: leftOut(order, ['quality'], 'the images API') };
}

function edit(assignment: Assignment): Submission {
  const order = imageOrder(assignment);
  const form = new FormData();
  for (const [name, value] of Object.entries(fieldsOf(order, assignment.row.upstream)))
    form.append(name, String(value));
  for (const role of ['source', 'reference', 'style'] as const) {
    for (const image of picturesOf(assignment, role)) form.append('image[]', asBlob(image), fileName(image));
  }
  for (const mask of picturesOf(assignment, 'mask')) form.append('mask', asBlob(mask), fileName(mask));
  const warnings = leftOut(order, ['quality', 'style_reference_url'], 'the images API');
  return { method: 'POST', path: '/images/edits', form, warnings };
}

const shape = z.object({ data: z.array(z.object({ url: z.string().nullish(), b64_json: z.string().nullish() })) });

function filesIn(answer: ApiAnswer): RemoteFile[] {
  const files = read(shape, answer).data.flatMap(({ url, b64_json }): RemoteFile[] => {
    if (b64_json) return [{ bytes: Buffer.from(b64_json, 'base64') }];
    return url ? [{ url }] : [];
  });
  if (files.length === 0) throw failedJob('transient', 'The images API answered without a picture');
  return files;
}

const codes: readonly (readonly [RegExp, FailureKind])[] = [
  [/moderation_blocked|content_policy/, 'content'],
  [/insufficient_quota|billing/, 'budget'],
  [/rate_limit/, 'capacity'],
  [/invalid_api_key|model_not_found/, 'auth'],
];

function explain(answer: ApiAnswer): ProviderFailure | null {
  const said = glean(
    z.object({ error: z.object({ code: z.string().nullish(), message: z.string().nullish() }) }),
    answer,
  )?.error;
  const code = said?.code ?? '';
  const kind = kindOf(code, codes);
  if (!said || !kind) return null;
  return new ProviderFailure(kind, `The images API refused (${code}): ${said.message ?? 'no reason given'}`, {
    upstreamCode: code,
  });
}
