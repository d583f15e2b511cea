import { createHash, createPublicKey, verify as verifySignature } from 'node:crypto';
import { z } from 'zod';
import type { Capabilities } from '../routing/backend.js';
import { ProviderFailure } from '../routing/failure.js';
import { failedJob, glean, idShape, read } from './answers.js';
import { dataUri, defined, imageOrder, leftOut, picture, picturesOf, timedShots, videoOrder } from './orders.js';
import type {
  ApiAnswer,
  Assignment,
  Callback,
  CallbackContext,
  ModelRow,
  Progress,
  Provider,
  RemoteFile,
} from './provider.js';
import { isRecent } from './standard-webhooks.js';

/** fal's queue, which serves many makers' models; each has its own words for the same things, told by the options of a row. */
export const fal: Provider = {
  name: 'fal',
  title: 'fal',
  baseUrl: 'https://queue.fal.run',
  rows: [
    ...klingRows('kling-o3-pro', 'fal-ai/kling-video/o3/pro', { image: 'image_url' }),
    // Clips of several shots are shorter with V3 than with O3.
    ...klingRows('kling-v3', 'fal-ai/kling-video/v3/pro', {
      image: 'start_image_url',
      limits: { multi_shot_duration: { min: 3, max: 10 } },
    }),
    ...seedanceRows(),
    ...pictureRows(),
  ],
  pollMs: 3_000,
  // https://docs.fal.ai: 5xx answers are not billed.
  isFailureFree: true,
  authorize: ({ key }) => ({ authorization: `Key ${key}` }),

  submission(assignment) {
    const { callbackUrl, row } = assignment;
    const query = callbackUrl === null ? '' : `?fal_webhook=${encodeURIComponent(callbackUrl)}`;
    const { json, warnings } = row.operation === 'video-generation' ? clip(assignment) : pictures(assignment);
    // fal repeats failed runs by itself; the router decides that here.
    const headers = { 'x-fal-no-retry': '1' };
    return { method: 'POST', path: `/${row.upstream}${query}`, headers, json, warnings };
  },

  accept(answer, { path }) {
    const shape = z.object({
      request_id: idShape,
      status_url: z.string(),
      response_url: z.string(),
      cancel_url: z.string(),
    });
    const said = read(shape, answer);
    const urls = { status: said.status_url, response: said.response_url, cancel: said.cancel_url };
    return { ticket: { id: said.request_id, path, urls } };
  },

  async poll({ urls }, api) {
    const answer = await api.send({ method: 'GET', path: `${urls?.status}?logs=0` });
    const { status } = read(z.object({ status: z.string() }), answer);
    if (status !== 'COMPLETED') return { state: 'waiting', isHeld: status === 'IN_QUEUE' };
    // Completed says that it ended, not how.
    return resultOf(await api.send({ method: 'GET', path: `${urls?.response}` }).catch(asFailedJob));
  },

  async cancel({ urls }, api) {
    await api.send({ method: 'PUT', path: `${urls?.cancel}` });
  },

  explain,
  verify,
};

type Common = Pick<ModelRow, 'operation' | 'names' | 'price'>;

function klingRows(
  name: string,
  upstream: string,
  { image, limits = {} }: { image: string; limits?: Capabilities },
): ModelRow[] {
  const common: Common = { operation: 'video-generation', names: [name, `${name}-t2v`, `${name}-i2v`], price: 60 };
  const able: Capabilities = {
    duration: { min: 3, max: 15 },
    resolution: ['720p', '1080p'],
    aspect_ratio: ['16:9', '9:16', '1:1'],
    multi_shot_prompts: { min: 2, max: 6 },
    sound: [true],
    ...limits,
  };
  const options = { image, duration: 'text', shots: true, sound: true };
  return [
    {
      ...common,
      model: `${name}-t2v`,
      upstream: `${upstream}/text-to-video`,
      capabilities: { ...able, input: ['text'] },
      options,
    },
    {
      ...common,
      model: `${name}-i2v`,
      upstream: `${upstream}/image-to-video`,
      capabilities: { ...able, input: ['image'] },
      options,
      price: 30,
    },
  ];
}

function seedanceRows(): ModelRow[] {
  const common: Common = {
    operation: 'video-generation',
    names: ['seedance-1.5-pro', 'seedance-t2v', 'seedance-i2v'],
    price: 30,
  };
  const able: Capabilities = {
    duration: { min: 4, max: 12 },
    resolution: ['480p', '720p', '1080p'],
    aspect_ratio: ['21:9', '16:9', '4:3', '1:1', '3:4', '9:16'],
    sound: [true],
  };
  const base = 'fal-ai/bytedance/seedance/v1.5/pro';
  const options = { image: 'image_url', duration: 'text', resolution: true, seed: true, sound: true };
  return [
    {
      ...common,
      model: 'seedance-t2v',
      upstream: `${base}/text-to-video`,
      capabilities: { ...able, input: ['text'] },
      options,
    },
    {
      ...common,
      model: 'seedance-i2v',
      upstream: `${base}/image-to-video`,
      capabilities: { ...able, input: ['image'] },
      options,
    },
  ];
}

function pictureRows(): ModelRow[] {
  const able: Capabilities = { n: { min: 1, max: 4 }, size: 'any' };
  const make = { operation: 'image-generation' as const, capabilities: { ...able, input: ['text'] }, price: 2 };
  const edit = { operation: 'image-edit' as const, price: 2 };
  const seedream = 'fal-ai/bytedance/seedream/v4.5';
  return [
    { ...make, model: 'flux-pro', names: [], upstream: 'fal-ai/flux-pro/v1.1' },
    {
      ...make,
      model: 'stable-diffusion-3',
      names: [],
      upstream: 'fal-ai/stable-diffusion-v35-large',
      options: { negative: true },
    },
    { ...make, model: 'seedream-v4.5', names: ['seedream-3.0'], upstream: `${seedream}/text-to-image` },
    {
      ...edit,
      model: 'seedream-v4.5-edit',
      names: [],
      upstream: `${seedream}/edit`,
      capabilities: { ...able, input: ['image'], references: { min: 1, max: 9 } },
    },
  ];
}

function clip(assignment: Assignment): { json: unknown; warnings: string[] } {
  const order = videoOrder(assignment);
  const { options = {} } = assignment.row;
  const image = picture(assignment, 'first-frame');
  const hasShots = options.shots === true && order.shots.length > 1;
  const json = defined({
    prompt: hasShots ? undefined : order.prompt,
    ...(image && { [String(options.image ?? 'image_url')]: dataUri(image) }),
    ...(hasShots && { multi_prompt: multiPrompt(order.shots, order.duration) }),
    duration: options.duration === 'text' ? String(order.duration) : order.duration,
    aspect_ratio: image ? undefined : (order.ratio ?? '16:9'),
    resolution: options.resolution ? order.resolution : undefined,
    seed: options.seed ? order.seed : undefined,
    generate_audio: options.sound ? order.sound : undefined,
  });
  return { json, warnings: leftOut(order, options.seed ? ['seed'] : [], 'this model on fal') };
}

function multiPrompt(shots: string[], duration: number): unknown[] {
  return timedShots(shots, duration).map(({ prompt, seconds }) => ({ prompt, duration: String(seconds) }));
}

function pictures(assignment: Assignment): { json: unknown; warnings: string[] } {
  const order = imageOrder(assignment);
  const images = [...picturesOf(assignment, 'source'), ...picturesOf(assignment, 'reference')].map(dataUri);
  const hasNegative = assignment.row.options?.negative === true;
  const json = defined({
    prompt: order.prompt,
    negative_prompt: hasNegative ? order.negativePrompt : undefined,
    image_urls: images.length > 0 ? images : undefined,
    image_size: order.size,
    num_images: order.count,
    seed: order.seed,
    ...(order.format !== 'webp' && { output_format: order.format === 'jpg' ? 'jpeg' : 'png' }),
  });
  return { json, warnings: leftOut(order, hasNegative ? ['seed', 'negative_prompt'] : ['seed'], 'this model on fal') };
}

const resultShape = z.object({
  video: z.object({ url: z.string() }).nullish(),
  images: z.array(z.object({ url: z.string() })).nullish(),
});

function resultOf(answer: ApiAnswer): Progress {
  const { video, images } = read(resultShape, answer);
  const files: RemoteFile[] = [...(video ? [video] : []), ...(images ?? [])].map(({ url }) => inline(url) ?? { url });
  if (files.length === 0) throw failedJob('transient', 'fal finished the job without a result');
  return { state: 'done', files };
}

/** Small results may come as data URIs. */
function inline(url: string): RemoteFile | null {
  const [, base64] = /^data:[^,]*;base64,(.*)$/s.exec(url) ?? [];
  return base64 === undefined ? null : { bytes: Buffer.from(base64, 'base64') };
}

/** How the job failed is the status of its result; that the question itself went wrong is not to be told from it. */
function asFailedJob(error: unknown): never {
  if (!(error instanceof ProviderFailure)) throw error;
  if (error.kind === 'transient' && error.details.upstreamCode === undefined) throw error;
  throw error.afterAcceptance();
}

const detailShape = z.object({
  detail: z
    .union([
      z.string(),
      z.array(z.object({ msg: z.string(), type: z.string().nullish(), loc: z.array(z.unknown()).nullish() })),
    ])
    .nullish(),
  error: z.object({ message: z.string().nullish(), code: z.union([z.string(), z.number()]).nullish() }).nullish(),
});

function explain({ status, headers, ...answer }: ApiAnswer): ProviderFailure | null {
  const said = glean(detailShape, { status, headers, ...answer });
  const [first] = Array.isArray(said?.detail) ? said.detail : [];
  const words = first?.msg ?? said?.error?.message ?? (typeof said?.detail === 'string' ? said.detail : null);
  const type = `${first?.type ?? ''} ${headers['x-fal-error-type'] ?? ''} ${words ?? ''}`;
  const text = `fal refused (${status}): ${words ?? 'no reason given'}`;
  const upstreamCode = first?.type ?? headers['x-fal-error-type'] ?? String(status);
  if (/still in progress/i.test(type)) return new ProviderFailure('transient', text);
  if (/content_policy|nsfw|sensitive|safety/i.test(type)) return new ProviderFailure('content', text, { upstreamCode });
  if (/exhausted balance|user is locked|insufficient/i.test(type))
    return new ProviderFailure('budget', text, { upstreamCode });
  return null;
}

const jwksUrl = 'https://rest.fal.ai/.well-known/jwks.json';

/** ED25519 over request id, user id, time and the digest of the body, each on a line: https://docs.fal.ai */
async function verify({ headers, body }: Callback, { now, fetchJson }: CallbackContext): Promise<boolean> {
  const of = (name: string) => headers[`x-fal-webhook-${name}`] ?? '';
  const timestamp = of('timestamp');
  if (!isRecent(timestamp, now)) return false;
  const digest = createHash('sha256').update(body).digest('hex');
  const message = Buffer.from([of('request-id'), of('user-id'), timestamp, digest].join('\n'));
  const signature = Buffer.from(of('signature'), 'hex');
  const { keys } = z.object({ keys: z.array(z.object({ x: z.string() })) }).parse(await fetchJson(jwksUrl));
  return keys.some(({ x }) => {
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
    return verifySignature(null, message, key, signature);
  });
}
