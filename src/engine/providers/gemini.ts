import { z } from 'zod';
import type { Capabilities } from '../routing/backend.js';
import { ProviderFailure, type FailureKind } from '../routing/failure.js';
import type { VideoOrder } from '../routing/order.js';
import { failedJob, glean, idShape, kindOf, read } from './answers.js';
import { defined, leftOut, picture, videoOrder } from './orders.js';
import type {
  Api,
  ApiAnswer,
  Assignment,
  ModelRow,
  Picture,
  Progress,
  Provider,
  RemoteFile,
  Submission,
  Ticket,
} from './provider.js';

const interactions = '/interactions';

/**
 * Google's Gemini API: Omni by the interactions, which Google names the default, and Veo by long-running operations,
 * whose rows have to be switched on since accepted jobs of it were reported lost.
 */
export const gemini: Provider = {
  name: 'gemini',
  title: 'Gemini',
  baseUrl: 'https://generativelanguage.googleapis.com/v1beta',
  rows: [...omniRows(), ...veoRows()],
  pollMs: 10_000,
  authorize: ({ key }) => ({ 'x-goog-api-key': key, 'api-revision': '2026-05-20' }),

  submission(assignment) {
    const order = videoOrder(assignment);
    return assignment.row.options?.api === 'veo' ? veo(assignment, order) : omni(assignment, order);
  },

  accept(answer, { path }) {
    if (path !== interactions) return { ticket: { id: read(z.object({ name: idShape }), answer).name, path } };
    return { ticket: { id: read(z.object({ id: idShape }), answer).id, path } };
  },

  poll: (ticket, api) => (ticket.path === interactions ? pollOmni(ticket, api) : pollVeo(ticket, api)),

  async cancel({ id, path }, api) {
    if (path === interactions)
      await api.send({ method: 'POST', path: `${interactions}/${encodeURIComponent(id)}/cancel` });
  },

  explain,
};

function omniRows(): ModelRow[] {
  const name = 'gemini-omni-1.1-flash';
  // It has no parameter for any of these: what is asked for is put into words.
  const able: Capabilities = {
    duration: { min: 3, max: 10 },
    resolution: ['720p'],
    aspect_ratio: ['16:9', '9:16'],
    sound: [true],
    references: { min: 1, max: 3 },
  };
  const common = {
    operation: 'video-generation' as const,
    names: [name, `${name}-t2v`, `${name}-i2v`],
    upstream: name,
    price: 40,
  };
  return [
    { ...common, model: `${name}-t2v`, capabilities: { ...able, input: ['text'] } },
    { ...common, model: `${name}-i2v`, capabilities: { ...able, input: ['image'] } },
  ];
}

function veoRows(): ModelRow[] {
  const able: Capabilities = {
    duration: [4, 6, 8],
    resolution: ['720p', '1080p'],
    aspect_ratio: ['16:9', '9:16'],
    sound: [true],
  };
  const common = {
    operation: 'video-generation' as const,
    names: ['veo-3.1', 'veo-3.1-t2v', 'veo-3.1-i2v'],
    upstream: 'veo-3.1-generate-preview',
    price: 80,
    options: { api: 'veo', optIn: true },
  };
  return [
    { ...common, model: 'veo-3.1-t2v', capabilities: { ...able, input: ['text'], references: { min: 1, max: 3 } } },
    { ...common, model: 'veo-3.1-i2v', capabilities: { ...able, input: ['image'], last_frame: [1] } },
  ];
}

function omni(assignment: Assignment, order: VideoOrder): Submission {
  const images = assignment.pictures.map((image) => ({
    type: 'image',
    data: image.bytes.toString('base64'),
    mime_type: image.contentType,
  }));
  const wishes = [`${order.duration} seconds`, order.ratio ?? '', order.sound ? '' : 'no sound']
    .filter(Boolean)
    .join(', ');
  const text = `${order.prompt}\n(${wishes})`;
  const json = {
    model: assignment.row.upstream,
    input: images.length === 0 ? text : [{ type: 'text', text }, ...images],
    background: true,
  };
  const vague = 'Gemini Omni has no parameters for `duration` and `aspect_ratio`: they were put into the prompt';
  const warnings = [vague, ...leftOut(order, ['style_reference_url'], 'Gemini Omni')];
  return { method: 'POST', path: interactions, json, warnings };
}

function veo(assignment: Assignment, order: VideoOrder): Submission {
  const [first, last] = [picture(assignment, 'first-frame'), picture(assignment, 'last-frame')];
  const references = assignment.pictures.filter(({ role }) => role === 'reference');
  const instance = defined({
    prompt: order.prompt,
    image: first && inline(first),
    lastFrame: last && inline(last),
    referenceImages:
      references.length > 0 ? references.map((image) => ({ image: inline(image), referenceType: 'asset' })) : undefined,
  });
  const parameters = defined({
    aspectRatio: order.ratio ?? '16:9',
    resolution: order.resolution,
    durationSeconds: order.duration,
    sampleCount: 1,
    seed: order.seed,
    negativePrompt: order.negativePrompt,
  });
  return {
    method: 'POST',
    path: `/models/${assignment.row.upstream}:predictLongRunning`,
    json: { instances: [instance], parameters },
    warnings: leftOut(order, ['seed', 'negative_prompt'], 'Veo'),
  };
}

/** Veo takes bytes, no addresses. */
function inline({ bytes, contentType }: Picture): { bytesBase64Encoded: string; mimeType: string } {
  return { bytesBase64Encoded: bytes.toString('base64'), mimeType: contentType };
}

const videoShape = z.object({ data: z.string().nullish(), uri: z.string().nullish() });
const interactionShape = z.object({
  status: z.string(),
  output_video: videoShape.nullish(),
  steps: z.array(z.object({ content: z.array(videoShape.extend({ type: z.string().nullish() })).nullish() })).nullish(),
  error: z.object({ message: z.string().nullish() }).nullish(),
});

async function pollOmni({ id }: Ticket, api: Api): Promise<Progress> {
  const answer = await api.send({ method: 'GET', path: `${interactions}/${encodeURIComponent(id)}` });
  const { status, output_video, steps, error } = read(interactionShape, answer);
  if (status === 'in_progress' || status === 'queued') return { state: 'waiting' };
  const inSteps = steps?.flatMap(({ content }) => content ?? []).filter(({ type }) => type === 'video') ?? [];
  const file = fileOf(output_video ?? inSteps.at(-1));
  if (status === 'completed' && file) return { state: 'done', files: [file] };
  // Completed without a clip has been reported: https://discuss.ai.google.dev/t/183928
  const words = error?.message ?? (status === 'completed' ? 'it completed without a clip' : `it is ${status}`);
  throw failedJob(/safety|policy|blocked/i.test(words) ? 'content' : 'transient', `Gemini failed: ${words}`);
}

function fileOf(video: z.output<typeof videoShape> | null | undefined): RemoteFile | null {
  if (video?.data) return { bytes: Buffer.from(video.data, 'base64') };
  return video?.uri ? { url: video.uri, withKey: true } : null;
}

const operationShape = z.object({
  done: z.boolean().nullish(),
  error: z
    .object({ message: z.string().nullish(), status: z.string().nullish(), code: z.number().nullish() })
    .nullish(),
  response: z
    .object({
      generateVideoResponse: z
        .object({
          generatedSamples: z.array(z.object({ video: z.object({ uri: z.string() }) })).nullish(),
          raiMediaFilteredCount: z.number().nullish(),
          raiMediaFilteredReasons: z.array(z.string()).nullish(),
        })
        .nullish(),
    })
    .nullish(),
});

async function pollVeo({ id }: Ticket, api: Api): Promise<Progress> {
  const { done, error, response } = read(operationShape, await api.send({ method: 'GET', path: `/${id}` }));
  if (!done) return { state: 'waiting' };
  if (error) {
    const kind = kindOf(error.status ?? '', statuses) ?? 'transient';
    throw failedJob(kind, `Veo failed: ${error.message ?? error.status}`, {
      upstreamCode: error.status ?? String(error.code),
    });
  }
  const made = response?.generateVideoResponse;
  const [sample] = made?.generatedSamples ?? [];
  if (sample) return { state: 'done', files: [{ url: sample.video.uri, withKey: true }] };
  if (made?.raiMediaFilteredCount) {
    throw failedJob(
      'content',
      `Veo filtered the result: ${made.raiMediaFilteredReasons?.join(' ') ?? 'no reason given'}`,
    );
  }
  throw failedJob('transient', 'Veo finished the job without a clip');
}

const statuses: readonly (readonly [RegExp, FailureKind])[] = [
  [/RESOURCE_EXHAUSTED|UNAVAILABLE/, 'capacity'],
  [/PERMISSION_DENIED|UNAUTHENTICATED|NOT_FOUND|FAILED_PRECONDITION/, 'auth'],
  [/INVALID_ARGUMENT/, 'invalid'],
];

function explain(answer: ApiAnswer): ProviderFailure | null {
  const shape = z.object({ error: z.object({ status: z.string().nullish(), message: z.string().nullish() }) });
  const said = glean(shape, answer)?.error;
  const words = said?.message ?? 'no reason given';
  // A wrong key comes as an invalid argument.
  const code = /api key/i.test(words) ? 'UNAUTHENTICATED' : (said?.status ?? '');
  const kind = /safety|prohibited|policy/i.test(words) ? 'content' : kindOf(code, statuses);
  if (!said || !kind) return null;
  return new ProviderFailure(kind, `Gemini refused (${said.status ?? answer.status}): ${words}`, {
    upstreamCode: said.status ?? '',
  });
}
