import type Router from '@koa/router';
import { generationHeaders } from '../present.js';
import type { Context, RequestState } from '../request.js';
import type { Surface } from '../server.js';
import { cutoutDesk, removeBackground } from './cutout-now.js';
import { sendBytes } from './images.js';

/** `/api/remove` as `rembg s` has it: GET with `url`, POST with `file`; the answer is a PNG. */
export function addRembgRoutes(router: Router<RequestState>, surface: Surface): void {
  const desk = cutoutDesk(surface);
  if (desk === undefined) return;
  const answer = async (ctx: Context) => {
    const job = await removeBackground(ctx, desk, (params) => translate(params));
    const output = job?.result?.outputs[0];
    if (job === null || output === undefined) return;
    ctx.set(generationHeaders(job));
    await sendBytes(ctx, output, surface.engine);
  };
  router.get('/api/remove', answer);
  router.post('/api/remove', answer);
}

/** The fields of rembg, and what they are here. */
const names: Readonly<Record<string, string>> = {
  a: 'alpha_matting',
  af: 'alpha_matting_foreground_threshold',
  ab: 'alpha_matting_background_threshold',
  ae: 'alpha_matting_erode_size',
  om: 'only_mask',
  ppm: 'post_process_mask',
};

function translate(params: Record<string, unknown>): void {
  const { model, bgc, extras } = params;
  for (const [theirs, ours] of Object.entries(names)) {
    if (params[theirs] !== undefined && params[theirs] !== '') params[ours] = params[theirs];
    delete params[theirs];
  }
  for (const own of ['bgc', 'extras']) delete params[own];
  if (typeof bgc === 'string' && bgc !== '') params.bg_color = colourOf(bgc);
  // Further inputs of networks that are told where to look.
  if (extras !== undefined && extras !== '' && extras !== '{}') params.extras = extras;
  if (typeof model === 'string') params.model = model.replaceAll('_', '-') || 'auto';
}

/** `255,0,0,255` as a colour; anything else as it came, for the message. */
function colourOf(text: string): string {
  const parts = text.split(',').map((part) => part.trim());
  const isColour = parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part));
  if (!isColour) return text;
  const [red, green, blue, alpha] = parts.map(Number);
  return `rgba(${red}, ${green}, ${blue}, ${(alpha as number) / 255})`;
}
