import type { Submission } from '../engine/api.js';
import { EngineError } from '../engine/errors.js';
import type { Context } from './request.js';

/** What a request says of whom to tell of the end of its job. */
export type Notice = Pick<Submission, 'webhook'> & { autoRetry: boolean };

/** Takes `webhook_url` and `webhook_auto_retry` out of the params. Errors: `invalid_input`. */
export function takeNotice(params: Record<string, unknown>, { baseUrl }: { baseUrl: string }, ctx: Context): Notice {
  const { webhook_url: url, webhook_auto_retry: retry } = params;
  delete params.webhook_url;
  delete params.webhook_auto_retry;
  const autoRetry = readFlag(retry);
  if (url === undefined || url === null || url === '') return { autoRetry };
  if (typeof url !== 'string') throw wrong('webhook_url', 'an https address', url);
  return { autoRetry, webhook: { url: url.trim(), baseUrl, secret: ctx.state.apiKey } };
}

function readFlag(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return false;
  const text = String(value).toLowerCase();
  if (text === 'true' || text === '1') return true;
  if (text === 'false' || text === '0') return false;
  throw wrong('webhook_auto_retry', 'true or false', value);
}

function wrong(param: string, expected: string, got: unknown): EngineError {
  const shown = JSON.stringify(got)?.slice(0, 60);
  return new EngineError('invalid_input', `Expected \`${param}\` to be ${expected}, got ${shown}`, { param });
}
