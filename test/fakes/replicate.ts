import { createHmac } from 'node:crypto';
import { bearer, type FakeJob, fakeSecret, lastOf, type Refusal, type Reply, text, type Wire } from './wire.js';

const refusals: Record<Refusal, Reply> = {
  capacity: { status: 429, json: { detail: 'Request was throttled. Your rate limit resets in ~1s.', status: 429 } },
  content: { status: 200 },
  budget: { status: 402, json: { title: 'Insufficient credit', detail: 'You have insufficient credit', status: 402 } },
  auth: { status: 401, json: { title: 'Unauthenticated', detail: 'You did not pass a valid token', status: 401 } },
  invalid: {
    status: 422,
    json: { title: 'Input validation failed', detail: '- input: prompt is required', status: 422 },
  },
};

const statuses = { queued: 'starting', running: 'processing', cancelled: 'canceled' } as const;
const errors = {
  failed: 'CUDA out of memory',
  content: 'The input or output was flagged as sensitive (E005)',
  capacity: 'Queue is full',
} as const;

/** Predictions; a refusal of content comes only as a prediction that failed. */
export const replicateWire: Wire = {
  name: 'replicate',
  makes: 'clip',
  isAuthorized: bearer,

  submission({ method, path, json }) {
    if (method !== 'POST' || !path.endsWith('/predictions')) return null;
    return { externalId: null, callbackUrl: text(json?.webhook) };
  },

  complaint: ({ json }) => (typeof json?.input === 'object' ? null : refusals.invalid),
  accepted: (job, { base }) => ({ status: 201, json: prediction({ ...job, state: 'queued' }, base) }),
  refused: (refusal) => refusals[refusal],

  answer({ method, path }, desk) {
    if (method === 'POST' && path.endsWith('/cancel')) {
      const job = desk.cancel(path.split('/').at(-2) ?? '');
      return job ? { status: 200, json: prediction(job, desk.base) } : null;
    }
    const job = desk.look(lastOf(path));
    return job ? { status: 200, json: prediction(job, desk.base) } : null;
  },

  callback(job, at) {
    const body = JSON.stringify(prediction(job, ''));
    const seconds = String(Math.floor(at / 1000));
    const key = Buffer.from(fakeSecret.replace('whsec_', ''), 'base64');
    const signature = createHmac('sha256', key).update(`msg_1.${seconds}.${body}`).digest('base64');
    const headers = { 'webhook-id': 'msg_1', 'webhook-timestamp': seconds, 'webhook-signature': `v1,${signature}` };
    return { headers, body };
  },
};

function prediction(job: FakeJob, base: string): Record<string, unknown> {
  const urls = { get: `${base}/predictions/${job.id}`, cancel: `${base}/predictions/${job.id}/cancel` };
  const common = { id: job.id, urls, logs: '', metrics: {} };
  if (job.state !== 'ended') return { ...common, status: statuses[job.state], output: null, error: null };
  if (job.outcome === 'done') return { ...common, status: 'succeeded', output: job.resultUrl, error: null };
  if (job.outcome === 'empty') return { ...common, status: 'succeeded', output: null, error: null, data_removed: true };
  return { ...common, status: 'failed', output: null, error: errors[job.outcome] };
}
