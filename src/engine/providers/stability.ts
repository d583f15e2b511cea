import { z } from 'zod';
import type { Capabilities } from '../routing/backend.js';
import { ProviderFailure } from '../routing/failure.js';
import { failedJob, glean, read } from './answers.js';
import { asBlob, fileName, imageOrder, leftOut, nearestRatio, picture } from './orders.js';
import type { ApiAnswer, Assignment, ModelRow, Provider, RemoteFile, Submission } from './provider.js';

/** Stability AI's Stable Image (v2beta): a form goes in, the picture comes back as base64 with the reason it ended. */
export const stability: Provider = {
  name: 'stability',
  title: 'Stability',
  baseUrl: 'https://api.stability.ai',
  rows: rows(),
  pollMs: 1_000,
  submitMs: 180_000,
  // Failed generations cost no credits: https://platform.stability.ai/pricing
  isFailureFree: true,
  authorize: ({ key }) => ({ authorization: `Bearer ${key}` }),

  submission(assignment) {
    const order = imageOrder(assignment);
    const source = picture(assignment, 'source');
    const mask = picture(assignment, 'mask');
    const ratio = order.size ? nearestRatio(order.size, ratios) : null;
    const form = new FormData();
    const fields = {
      prompt: order.prompt,
      negative_prompt: order.negativePrompt,
      aspect_ratio: source ? null : ratio,
      seed: order.seed,
      output_format: order.format === 'jpg' ? 'jpeg' : order.format,
      ...modelFields(assignment),
    };
    for (const [name, value] of Object.entries(fields)) if (value !== null) form.append(name, String(value));
    if (source) form.append('image', asBlob(source), fileName(source));
    if (mask) form.append('mask', asBlob(mask), fileName(mask));
    const shape = ratio !== null ? [`\`size\` became the nearest ratio, ${ratio}`] : [];
    const warnings = [...(source ? [] : shape), ...leftOut(order, ['negative_prompt', 'seed'], 'Stability')];
    return { method: 'POST', path: pathOf(assignment), form, warnings } satisfies Submission;
  },

  accept: (answer) => ({ files: fileIn(answer) }),
  explain,
};

const ratios = ['16:9', '1:1', '21:9', '2:3', '3:2', '4:5', '5:4', '9:16', '9:21'];

function rows(): ModelRow[] {
  const able: Capabilities = { input: ['text'], size: 'any' };
  const make = { operation: 'image-generation' as const, names: [], capabilities: able, price: 2 };
  return [
    { ...make, model: 'stable-diffusion-3', upstream: 'sd3.5-large' },
    { ...make, model: 'stable-image-core', upstream: 'core' },
    { ...make, model: 'stable-image-ultra', upstream: 'ultra', price: 4 },
    {
      ...make,
      operation: 'image-edit',
      model: 'stable-image-inpaint',
      upstream: 'inpaint',
      capabilities: { input: ['mask'] },
    },
  ];
}

/** All Stable Diffusion 3 models share a path and are told apart by a field. */
function modelFields({ row }: Assignment): Record<string, string | null> {
  return row.upstream.startsWith('sd3') ? { model: row.upstream } : {};
}

function pathOf({ row }: Assignment): string {
  const section = row.operation === 'image-edit' ? 'edit' : 'generate';
  return `/v2beta/stable-image/${section}/${row.upstream.startsWith('sd3') ? 'sd3' : row.upstream}`;
}

/** A picture that was filtered comes back blurred, with status 200. */
function fileIn(answer: ApiAnswer): RemoteFile[] {
  const { image, finish_reason } = read(z.object({ image: z.string().nullish(), finish_reason: z.string() }), answer);
  if (finish_reason === 'CONTENT_FILTERED') throw failedJob('content', 'Stability filtered the result');
  if (!image) throw failedJob('transient', 'Stability answered without a picture');
  return [{ bytes: Buffer.from(image, 'base64') }];
}

function explain(answer: ApiAnswer): ProviderFailure | null {
  const said = glean(z.object({ name: z.string(), errors: z.array(z.string()).nullish() }), answer);
  const words = said?.errors?.join(' ') ?? 'no reason given';
  if (said?.name === 'content_moderation')
    return new ProviderFailure('content', `Stability refused: ${words}`, { upstreamCode: said.name });
  if (said?.name === 'payment_required')
    return new ProviderFailure('budget', `Stability refused: ${words}`, { upstreamCode: said.name });
  return null;
}
