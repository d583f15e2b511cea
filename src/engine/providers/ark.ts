import { z } from 'zod';
import type { Capabilities } from '../routing/backend.js';
import { ProviderFailure, type FailureKind } from '../routing/failure.js';
import { failedJob, glean, idShape, kindOf, read } from './answers.js';
import {
  allRatios,
  allResolutions,
  dataUri,
  defined,
  imageOrder,
  leftOut,
  picture,
  picturesOf,
  videoOrder,
} from './orders.js';
import type { ApiAnswer, Assignment, ModelRow, Progress, Provider, RemoteFile, Submission } from './provider.js';

const tasks = '/contents/generations/tasks';

/** ByteDance Ark (ModelArk outside of China): Seedance for clips, Seedream for pictures. */
export const ark: Provider = {
  name: 'ark',
  title: 'Ark',
  baseUrl: 'https://ark.ap-southeast.bytepluses.com/api/v3',
  rows: [
    ...seedance('seedance-1.5-pro', ['seedance-t2v', 'seedance-i2v'], 'seedance-1-5-pro-251215', { sound: [true] }),
    ...seedance('seedance-1.0-pro', ['seedance-1.0-pro-t2v', 'seedance-1.0-pro-i2v'], 'seedance-1-0-pro-250528', {}),
    ...seedream(),
  ],
  pollMs: 5_000,
  // A picture is the answer itself.
  submitMs: 180_000,
  authorize: ({ key }) => ({ authorization: `Bearer ${key}` }),

  submission(assignment) {
    return assignment.row.operation === 'video-generation' ? clip(assignment) : pictures(assignment);
  },

  accept(answer, { path }) {
    if (path === tasks) return { ticket: { id: read(z.object({ id: idShape }), answer).id, path } };
    return { files: picturesIn(answer) };
  },

  async poll({ id, path }, api) {
    return progress(await api.send({ method: 'GET', path: `${path}/${encodeURIComponent(id)}` }));
  },

  // Only what still waits can be cancelled; what runs is paid for in any case.
  async cancel({ id, path }, api) {
    await api.send({ method: 'DELETE', path: `${path}/${encodeURIComponent(id)}` });
  },

  explain,
};

function seedance(name: string, [words, image]: [string, string], upstream: string, more: Capabilities): ModelRow[] {
  const able = {
    duration: { min: 3, max: 12 },
    resolution: allResolutions,
    aspect_ratio: allRatios,
    ...more,
  };
  const names = [name, words, image];
  const common = { operation: 'video-generation' as const, names, upstream, price: 30 };
  return [
    { ...common, model: words, capabilities: { ...able, input: ['text'] } },
    { ...common, model: image, capabilities: { ...able, input: ['image'], last_frame: [1] } },
  ];
}

function seedream(): ModelRow[] {
  const common = {
    names: ['seedream-3.0', 'seedream-v4.5', 'seedream-v4.5-edit'],
    upstream: 'seedream-4-5-251128',
    price: 2,
  };
  const able: Capabilities = { n: { min: 1, max: 4 }, references: { min: 1, max: 10 }, size: 'any' };
  return [
    { ...common, operation: 'image-generation', model: 'seedream-v4.5', capabilities: { ...able, input: ['text'] } },
    { ...common, operation: 'image-edit', model: 'seedream-v4.5-edit', capabilities: { ...able, input: ['image'] } },
  ];
}

function clip(assignment: Assignment): Submission {
  const order = videoOrder(assignment);
  const frames = [
    { image: picture(assignment, 'first-frame'), role: 'first_frame' },
    { image: picture(assignment, 'last-frame'), role: 'last_frame' },
  ].flatMap(({ image, role }) => (image ? [{ type: 'image_url', image_url: { url: dataUri(image) }, role }] : []));
  const json = defined({
    model: assignment.row.upstream,
    content: [{ type: 'text', text: order.prompt }, ...frames],
    ratio: order.ratio ?? (frames.length > 0 ? 'adaptive' : '16:9'),
    duration: order.duration,
    resolution: order.resolution,
    seed: order.seed,
    generate_audio: order.sound ? true : undefined,
    watermark: false,
    callback_url: assignment.callbackUrl,
  });
  return { method: 'POST', path: tasks, json, warnings: leftOut(order, ['seed'], 'Seedance') };
}

function pictures(assignment: Assignment): Submission {
  const order = imageOrder(assignment);
  const images = [
    ...picturesOf(assignment, 'source'),
    ...picturesOf(assignment, 'reference'),
    ...picturesOf(assignment, 'style'),
  ].map(dataUri);
  const json = defined({
    model: assignment.row.upstream,
    prompt: order.prompt,
    image: images.length > 1 ? images : images[0],
    size: order.size ? sizeFor(order.size) : '2K',
    seed: order.seed,
    ...(order.count > 1 && {
      sequential_image_generation: 'auto',
      sequential_image_generation_options: { max_images: order.count },
    }),
    response_format: 'url',
    watermark: false,
  });
  const warnings = leftOut(order, ['seed', 'style_reference_url'], 'Seedream');
  return { method: 'POST', path: '/images/generations', json, warnings };
}

/** Seedream 4.5 wants at least 3.7 million pixels: smaller sizes are asked for in the same shape, at 2K. */
function sizeFor({ width, height }: { width: number; height: number }): string {
  const grow = Math.max(1, Math.sqrt(3_686_400 / (width * height)));
  const even = (side: number) => 16 * Math.ceil((side * grow) / 16);
  return `${even(width)}x${even(height)}`;
}

const taskShape = z.object({
  status: z.string(),
  content: z.object({ video_url: z.string().nullish() }).nullish(),
  error: z.object({ code: z.string().nullish(), message: z.string().nullish() }).nullish(),
});

function progress(answer: ApiAnswer): Progress {
  const { status, content, error } = read(taskShape, answer);
  if (status === 'queued' || status === 'running') return { state: 'waiting', isHeld: status === 'queued' };
  if (status === 'succeeded' && content?.video_url) return { state: 'done', files: [{ url: content.video_url }] };
  const code = error?.code ?? status;
  const words = error?.message ?? `the job is ${status}`;
  throw failedJob(kindOf(code, codes) ?? 'transient', `Seedance failed (${code}): ${words}`, { upstreamCode: code });
}

const imagesShape = z.object({
  data: z.array(z.object({ url: z.string().nullish(), b64_json: z.string().nullish() })),
});

function picturesIn(answer: ApiAnswer): RemoteFile[] {
  const files = read(imagesShape, answer).data.flatMap(({ url, b64_json }): RemoteFile[] => {
    if (url) return [{ url }];
    return b64_json ? [{ bytes: Buffer.from(b64_json, 'base64') }] : [];
  });
  if (files.length === 0) throw failedJob('transient', 'Seedream answered without a picture');
  return files;
}

/** A code may go on after a dot: `OutputVideoSensitiveContentDetected.PolicyViolation`. */
const codes: readonly (readonly [RegExp, FailureKind])[] = [
  [/SensitiveContent/, 'content'],
  [/QuotaExceeded|AccountOverdue|InsufficientBalance/, 'budget'],
  [/RateLimit|RpmRateLimit|TpmRateLimit|ModelLoading|ServerOverloaded|TooManyRequests/, 'capacity'],
  [/ModelNotOpen|Authentication|AccessDenied|Unauthorized|InvalidEndpointOrModel/, 'auth'],
  [/^(InvalidParameter|MissingParameter|InvalidArgument|InvalidImage)/, 'invalid'],
];

function explain(answer: ApiAnswer): ProviderFailure | null {
  const shape = z.object({ error: z.object({ code: z.string(), message: z.string().nullish() }) });
  const said = glean(shape, answer)?.error;
  const kind = said && kindOf(said.code, codes);
  if (!said || !kind) return null;
  return new ProviderFailure(kind, `Ark refused (${said.code}): ${said.message ?? 'no reason given'}`, {
    upstreamCode: said.code,
  });
}
