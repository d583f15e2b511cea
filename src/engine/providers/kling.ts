import { SignJWT } from 'jose';
import { z } from 'zod';
import type { Capabilities } from '../routing/backend.js';
import { ProviderFailure, type FailureKind } from '../routing/failure.js';
import type { VideoOrder } from '../routing/order.js';
import { failedJob, glean, idShape, kindOf, read } from './answers.js';
import { defined, leftOut, picture, picturesOf, timedShots, videoOrder } from './orders.js';
import type { Api, ApiAnswer, Assignment, ModelRow, Progress, Provider, Submission, Ticket } from './provider.js';
import { isSigned } from './standard-webhooks.js';

/** Kuaishou Kling. Two generations of its API live side by side: `v1` and, in the options of a row, `v3`. */
export const kling: Provider = {
  name: 'kling',
  title: 'Kling',
  baseUrl: 'https://api-singapore.klingai.com',
  rows: [
    ...pair('kling-o3-pro', { upstream: 'kling-v3-omni', options: { path: '/v1/videos/omni-video', mode: 'pro' } }),
    // Clips of several shots are shorter with V3 than with O3.
    ...pair('kling-v3', { upstream: 'kling-v3', options: {}, limits: { multi_shot_duration: { min: 3, max: 10 } } }),
  ],
  pollMs: 5_000,

  async authorize({ key, accessKey, secretKey }, now) {
    if (!accessKey || !secretKey) return { authorization: `Bearer ${key}` };
    return { authorization: `Bearer ${await signToken(accessKey, secretKey, now)}` };
  },

  submission(assignment) {
    const order = videoOrder(assignment);
    return assignment.row.options?.generation === 'v3'
      ? newSubmission(assignment, order)
      : submission(assignment, order);
  },

  accept(answer, { path }) {
    const { data } = read(
      z.object({ data: z.object({ task_id: idShape.optional(), id: idShape.optional() }) }),
      answer,
    );
    const id = data.task_id ?? data.id;
    if (id === undefined) throw new ProviderFailure('unknown', 'Kling took the job and gave it no id');
    return { ticket: { id, path } };
  },

  poll: (ticket, api) => (isNew(ticket.path) ? pollNew(ticket, api) : poll(ticket, api)),

  async find(externalId, path, api) {
    const name = encodeURIComponent(externalId);
    // The older paths take an id of ours in place of their own.
    const call = isNew(path) ? `/tasks?external_task_ids=${name}` : `${path}/${name}`;
    try {
      return found(await api.send({ method: 'GET', path: call }), path);
    } catch (error) {
      if (error instanceof ProviderFailure && isAbsence(error)) return null;
      throw error;
    }
  },

  explain,
  verify: (callback, { secret, now }) => secret === null || isSigned(callback, secret, now),
};

/** A model from words and from a picture: the same name at the service, two of ours. */
function pair(
  name: string,
  { upstream, options, limits = {} }: Required<Pick<ModelRow, 'upstream' | 'options'>> & { limits?: Capabilities },
): ModelRow[] {
  const names = [name, `${name}-t2v`, `${name}-i2v`];
  const common = { operation: 'video-generation' as const, names, upstream, options };
  const able: Capabilities = {
    duration: { min: 3, max: 15 },
    resolution: ['720p', '1080p'],
    aspect_ratio: ['16:9', '9:16', '1:1'],
    multi_shot_prompts: { min: 2, max: 6 },
    ai_director_mode: [true],
    sound: [true],
    ...(options.path !== undefined && { references: { min: 1, max: 4 } }),
    ...limits,
  };
  return [
    { ...common, model: `${name}-t2v`, capabilities: { ...able, input: ['text'] }, price: 60 },
    { ...common, model: `${name}-i2v`, capabilities: { ...able, input: ['image'], last_frame: [1] }, price: 30 },
  ];
}

/** HS256, half an hour; a clock that is five seconds slow does no harm. */
function signToken(accessKey: string, secretKey: string, now: number): Promise<string> {
  const seconds = Math.floor(now / 1000);
  return new SignJWT()
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setIssuer(accessKey)
    .setExpirationTime(seconds + 1800)
    .setNotBefore(seconds - 5)
    .sign(new TextEncoder().encode(secretKey));
}

function submission(assignment: Assignment, order: VideoOrder): Submission {
  const { row, externalId, callbackUrl } = assignment;
  const image = picture(assignment, 'first-frame');
  const path = String(row.options?.path ?? (image ? '/v1/videos/image2video' : '/v1/videos/text2video'));
  const isOmni = path.endsWith('/omni-video');
  const json = defined({
    model_name: row.upstream,
    prompt: order.prompt,
    negative_prompt: isOmni ? undefined : order.negativePrompt,
    ...(isOmni ? omniPictures(assignment) : plainPictures(assignment)),
    mode: row.options?.mode ?? (order.resolution === '1080p' ? 'pro' : 'std'),
    duration: String(order.duration),
    aspect_ratio: image ? undefined : (order.ratio ?? '16:9'),
    sound: order.sound ? 'on' : 'off',
    ...shots(order),
    watermark_info: { enabled: false },
    callback_url: callbackUrl,
    external_task_id: externalId,
  });
  const ignored = image && order.ratio !== null ? ['`aspect_ratio` was left out: Kling follows the picture'] : [];
  return {
    method: 'POST',
    path,
    json,
    warnings: [...ignored, ...leftOut(order, isOmni ? [] : ['negative_prompt'], 'Kling')],
  };
}

/** Base64 without the head of a data URI. */
function plainPictures(assignment: Assignment): Record<string, unknown> {
  return {
    image: picture(assignment, 'first-frame')?.bytes.toString('base64'),
    image_tail: picture(assignment, 'last-frame')?.bytes.toString('base64'),
  };
}

function omniPictures(assignment: Assignment): Record<string, unknown> {
  const frames = [
    { image: picture(assignment, 'first-frame'), type: 'first_frame' },
    { image: picture(assignment, 'last-frame'), type: 'end_frame' },
  ].flatMap(({ image, type }) => (image ? [{ image_url: image.bytes.toString('base64'), type }] : []));
  const references = picturesOf(assignment, 'reference').map(({ bytes }) => ({ image_url: bytes.toString('base64') }));
  const images = [...frames, ...references];
  return images.length === 0 ? {} : { image_list: images };
}

/** With shots of its own the service ignores the main prompt, which is the first of them. */
function shots({ shots, duration, isDirected }: VideoOrder): Record<string, unknown> {
  if (shots.length < 2) return isDirected ? { multi_shot: true, shot_type: 'intelligence' } : {};
  const multi_prompt = timedShots(shots, duration).map(({ prompt, seconds }, at) => ({
    index: at + 1,
    prompt: prompt.slice(0, 512),
    duration: String(seconds),
  }));
  return { multi_shot: true, shot_type: 'customize', multi_prompt };
}

/** The generation with a path for each model: `/text-to-video/kling-3.0`. */
function newSubmission(assignment: Assignment, order: VideoOrder): Submission {
  const { row, externalId, callbackUrl } = assignment;
  const image = picture(assignment, 'first-frame');
  const settings = { resolution: order.resolution, duration: order.duration };
  const options = defined({
    callback_url: callbackUrl,
    external_task_id: externalId,
    watermark_info: { enabled: false },
  });
  if (!image) {
    const json = { prompt: order.prompt, settings: { ...settings, aspect_ratio: order.ratio ?? '16:9' }, options };
    return { method: 'POST', path: `/text-to-video/${row.upstream}`, json, warnings: leftOut(order, [], 'Kling') };
  }
  const contents = [
    { type: 'prompt', text: order.prompt },
    { type: 'first_frame', url: image.url ?? image.bytes.toString('base64') },
  ];
  const path = `/image-to-video/${row.upstream}`;
  return { method: 'POST', path, json: { contents, settings, options }, warnings: leftOut(order, [], 'Kling') };
}

function isNew(path: string): boolean {
  return !path.startsWith('/v1/');
}

const taskShape = z.object({
  data: z.object({
    task_status: z.string(),
    task_status_msg: z.string().nullish(),
    task_result: z.object({ videos: z.array(z.object({ url: z.string() })).nullish() }).nullish(),
  }),
});

async function poll({ id, path }: Ticket, api: Api): Promise<Progress> {
  const { data } = read(taskShape, await api.send({ method: 'GET', path: `${path}/${encodeURIComponent(id)}` }));
  if (data.task_status === 'failed') throw failedTask(data.task_status_msg);
  if (data.task_status !== 'succeed') return { state: 'waiting', isHeld: data.task_status === 'submitted' };
  return done(data.task_result?.videos?.map(({ url }) => url));
}

const tasksShape = z.object({
  data: z.array(
    z.object({
      id: idShape.nullish(),
      task_id: idShape.nullish(),
      status: z.string().nullish(),
      message: z.string().nullish(),
      outputs: z.array(z.object({ type: z.string(), url: z.string().nullish() })).nullish(),
    }),
  ),
});

async function pollNew({ id }: Ticket, api: Api): Promise<Progress> {
  const answer = await api.send({ method: 'GET', path: `/tasks?task_ids=${encodeURIComponent(id)}` });
  const [task] = read(tasksShape, answer).data;
  if (!task) throw failedJob('unknown', 'Kling does not know the job any more');
  if (task.status === 'failed') throw failedTask(task.message);
  if (task.status !== 'succeeded') return { state: 'waiting', isHeld: task.status === 'submitted' };
  return done(task.outputs?.flatMap(({ type, url }) => (type === 'video' && url ? [url] : [])));
}

function done(urls: string[] | undefined): Progress {
  const [url] = urls ?? [];
  if (url === undefined) throw failedJob('transient', 'Kling finished the job without a clip');
  return { state: 'done', files: [{ url }] };
}

/** A task that failed says why in words only. */
function failedTask(message: string | null | undefined): ProviderFailure {
  const words = message || 'no reason given';
  return failedJob(kindOf(words, reasons) ?? 'transient', `Kling failed: ${words}`);
}

const reasons: readonly (readonly [RegExp, FailureKind])[] = [
  [/risk|sensitive|violat|policy|prohibit/i, 'content'],
  [/busy|overload|concurren|capacity/i, 'capacity'],
];

function found(answer: ApiAnswer, path: string): Ticket | null {
  const data = Object(Object(answer.json).data);
  const task = Array.isArray(data) ? data[0] : data;
  const id = idShape.safeParse(task?.task_id ?? task?.id).data;
  return id === undefined ? null : { id, path };
}

/** Kling's own codes; 404 is what a path answers whose task it does not know. */
function isAbsence({ details }: ProviderFailure): boolean {
  return details.upstreamCode === '1203' || details.upstreamCode === '404';
}

const codes: readonly (readonly [RegExp, FailureKind])[] = [
  [/^100[0-4]$/, 'auth'],
  [/^1101|1102$/, 'budget'],
  [/^1103$/, 'auth'],
  [/^130[23]$/, 'capacity'],
  [/^1301$/, 'content'],
  [/^120[0-2]$/, 'invalid'],
  [/^1203$/, 'auth'],
];

function explain(answer: ApiAnswer): ProviderFailure | null {
  const said = glean(z.object({ code: z.number(), message: z.string().nullish() }), answer);
  const kind = said && kindOf(String(said.code), codes);
  if (!said || !kind) return null;
  return new ProviderFailure(kind, `Kling refused (${said.code}): ${said.message ?? 'no reason given'}`, {
    upstreamCode: String(said.code),
  });
}
