import { z } from 'zod';
import { ProviderFailure, type FailureKind } from '../routing/failure.js';
import { failedJob, glean, idShape, kindOf, read } from './answers.js';
import { asBlob, fileName, leftOut, picture, pixels, videoOrder } from './orders.js';
import type { ApiAnswer, Progress, Provider } from './provider.js';

/** Any gateway that speaks the shape of OpenAI's videos API, which OpenAI itself shut down on 2026-09-24. */
export const openaiVideos: Provider = {
  name: 'openai-videos',
  title: 'The video gateway',
  baseUrl: '',
  // Which models a gateway has, only its owner knows.
  rows: [],
  pollMs: 5_000,
  authorize: ({ key }) => ({ authorization: `Bearer ${key}` }),

  submission(assignment) {
    const order = videoOrder(assignment);
    const image = picture(assignment, 'first-frame');
    const { width, height } = pixels(order.ratio ?? '16:9', order.resolution);
    const fields = {
      model: assignment.row.upstream,
      prompt: order.prompt,
      seconds: String(order.duration),
      size: `${width}x${height}`,
    };
    const warnings = leftOut(order, [], 'the video gateway');
    if (!image) return { method: 'POST', path: '/videos', json: fields, warnings };
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.append(name, value);
    form.append('input_reference', asBlob(image), fileName(image));
    return { method: 'POST', path: '/videos', form, warnings };
  },

  accept(answer, { path }) {
    return { ticket: { id: read(z.object({ id: idShape }), answer).id, path } };
  },

  async poll({ id }, api) {
    return progress(await api.send({ method: 'GET', path: `/videos/${encodeURIComponent(id)}` }), id);
  },

  async cancel({ id }, api) {
    await api.send({ method: 'DELETE', path: `/videos/${encodeURIComponent(id)}` });
  },

  explain,
};

const videoShape = z.object({
  status: z.string(),
  /** 0..100. */
  progress: z.number().nullish(),
  error: z.object({ code: z.string().nullish(), message: z.string().nullish() }).nullish(),
});

function progress(answer: ApiAnswer, id: string): Progress {
  const { status, error, ...video } = read(videoShape, answer);
  if (status === 'queued') return { state: 'waiting', isHeld: true };
  if (status === 'in_progress') return { state: 'waiting', fraction: (video.progress ?? 0) / 100 };
  if (status === 'completed') {
    return {
      state: 'done',
      files: [{ url: `/videos/${encodeURIComponent(id)}/content?variant=video`, withKey: true }],
    };
  }
  const code = error?.code ?? status;
  const kind = kindOf(code, codes) ?? 'transient';
  throw failedJob(kind, `The video gateway failed (${code}): ${error?.message ?? 'no reason given'}`, {
    upstreamCode: code,
  });
}

const codes: readonly (readonly [RegExp, FailureKind])[] = [
  [/moderation_blocked|content_policy|safety/, 'content'],
  [/insufficient_(quota|credits)|billing/, 'budget'],
  [/rate_limit|overloaded|capacity|provider_unavailable/, 'capacity'],
  [/invalid_api_key|model_not_found/, 'auth'],
];

function explain(answer: ApiAnswer): ProviderFailure | null {
  const shape = z.object({
    error: z.object({ code: z.string().nullish(), type: z.string().nullish(), message: z.string().nullish() }),
  });
  const said = glean(shape, answer)?.error;
  const code = said?.code ?? said?.type ?? '';
  const kind = kindOf(code, codes);
  if (!said || !kind) return null;
  return new ProviderFailure(kind, `The video gateway refused (${code}): ${said.message ?? 'no reason given'}`, {
    upstreamCode: code,
  });
}
