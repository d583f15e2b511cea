import type Router from '@koa/router';
import { EngineError } from '../../engine/errors.js';
import type { Job, JobOutput } from '../../engine/jobs/job-store.js';
import { toBase64 } from '../base64.js';
import { generationHeaders } from '../present.js';
import type { Context, RequestState } from '../request.js';
import type { Surface } from '../server.js';
import { cutoutDesk, removeBackground } from './cutout-now.js';
import { sendBytes } from './images.js';

/**
 * `POST /v1.0/removebg` as remove.bg has it (its OpenAPI document, version 1.0.0): the same fields, the picture or
 * `data.result_b64`, its headers and its errors. What a credit is worth there costs nothing here.
 */
export function addRemoveBgRoute(router: Router<RequestState>, surface: Surface): void {
  const desk = cutoutDesk(surface);
  if (desk === undefined) return;
  router.post('/v1.0/removebg', async (ctx) => {
    let type = 'other';
    const job = await removeBackground(ctx, desk, (params, pictures) => {
      type = takeType(params);
      translate(params, pictures);
    });
    const output = job?.result?.outputs[0];
    if (job === null || output === undefined) return;
    ctx.set({ ...generationHeaders(job), ...headersOf(job, output), 'X-Type': type });
    if (ctx.accepts('image/png', 'application/json') !== 'application/json')
      return sendBytes(ctx, output, surface.engine);
    await sendJson(ctx, { job, output, surface });
  });
}

const types = ['person', 'product', 'animal', 'car', 'transportation', 'graphic', 'other'];

/** What the caller says that the subject is; nothing here tells kinds apart, so that this is all there is to answer. */
function takeType(params: Record<string, unknown>): string {
  const { type = 'auto' } = params;
  for (const own of ['type', 'type_level']) delete params[own];
  if (type === 'auto' || type === null || type === '') return 'other';
  if (types.includes(String(type))) return String(type);
  const message = `Expected \`type\` to be auto, ${types.join(', ')}, got ${JSON.stringify(type)?.slice(0, 40)}`;
  throw new EngineError('invalid_input', message, { param: 'type' });
}

const shadows: Readonly<Record<string, string>> = {
  none: 'none',
  auto: 'soft',
  drop: 'drop',
  car: 'contact',
  '3D': 'soft',
};

/** The fields of remove.bg in our words; most are the same. Its default is a preview. */
function translate(params: Record<string, unknown>, pictures: number): void {
  params.size ||= 'preview';
  const { shadow_type: kind, add_shadow: hasShadow, format = 'auto' } = params;
  for (const own of ['shadow_type', 'add_shadow']) delete params[own];
  if (hasShadow === true || hasShadow === 'true') params.shadow = 'soft';
  if (kind !== undefined && kind !== null) params.shadow = shadows[String(kind)] ?? kind;
  // Semi-transparency, as in glass, is what an alpha matte has anyway.
  if (String(params.semitransparency) === 'true') delete params.semitransparency;
  const isOpaque = pictures > 1 || Boolean(params.bg_color);
  if (format === 'auto' || format === '') params.format = isOpaque ? 'jpg' : 'png';
  if (params.format === 'jpeg') params.format = 'jpg';
  for (const [name, value] of Object.entries(params)) if (value === '') delete params[name];
}

function headersOf({ result }: Job, { width, height }: JobOutput): Record<string, string> {
  const box = foregroundOf(result?.facts ?? {});
  return {
    'X-Width': String(width ?? 0),
    'X-Height': String(height ?? 0),
    'X-Credits-Charged': '0',
    'X-Foreground-Top': String(box.top),
    'X-Foreground-Left': String(box.left),
    'X-Foreground-Width': String(box.width),
    'X-Foreground-Height': String(box.height),
  };
}

const nowhere = { top: 0, left: 0, width: 0, height: 0 };

function foregroundOf({ foreground }: Record<string, unknown>): typeof nowhere {
  return { ...nowhere, ...(foreground as Partial<typeof nowhere> | null | undefined) };
}

interface Answer {
  job: Job;
  output: JobOutput;
  surface: Surface;
}

async function sendJson(ctx: Context, { job, output, surface: { engine } }: Answer): Promise<void> {
  const pieces: string[] = [];
  for await (const piece of toBase64(await engine.readOutput(output.blob))) pieces.push(piece);
  const { top, left, width, height } = foregroundOf(job.result?.facts ?? {});
  ctx.body = {
    data: {
      result_b64: pieces.join(''),
      foreground_top: top,
      foreground_left: left,
      foreground_width: width,
      foreground_height: height,
    },
  };
}
