import { bearer, type FakeJob, lastOf, type Refusal, type Reply, text, type Wire } from './wire.js';

const refusals: Record<Refusal, Reply> = {
  capacity: { status: 429, json: { detail: 'Too many concurrent generations' } },
  content: { status: 400, json: { detail: 'Prompt not allowed by moderation' } },
  budget: { status: 400, json: { detail: 'Insufficient credits' } },
  auth: { status: 403, json: { detail: 'Not authenticated' } },
  invalid: { status: 400, json: { detail: 'aspect_ratio is invalid' } },
};

const states = { queued: 'queued', running: 'dreaming', cancelled: 'failed' } as const;

/** Generations; pictures by address only, calls to us without a signature. */
export const lumaWire: Wire = {
  name: 'luma',
  makes: 'clip',
  isAuthorized: bearer,

  submission({ method, path, json }) {
    if (method !== 'POST' || path !== '/generations/video') return null;
    return { externalId: null, callbackUrl: text(json?.callback_url) };
  },

  complaint: ({ json }) => (/^\d+s$/.test(String(json?.duration)) ? null : refusals.invalid),
  accepted: (job) => ({ status: 201, json: generation({ ...job, state: 'queued' }) }),
  refused: (refusal) => refusals[refusal],

  answer({ method, path }, desk) {
    const id = lastOf(path);
    if (method === 'DELETE') return desk.cancel(id) ? { status: 204 } : null;
    const job = desk.look(id);
    return job ? { status: 200, json: generation(job) } : { status: 404, json: { detail: 'Generation not found' } };
  },

  callback: (job) => ({ headers: {}, body: JSON.stringify(generation(job)) }),
};

const reasons = { failed: 'Internal error', content: 'Video moderation failed', capacity: 'No capacity' } as const;

function generation(job: FakeJob): Record<string, unknown> {
  if (job.state !== 'ended') return { id: job.id, state: states[job.state], failure_reason: null, assets: null };
  if (job.outcome === 'done') return { id: job.id, state: 'completed', assets: { video: job.resultUrl } };
  if (job.outcome === 'empty') return { id: job.id, state: 'completed', assets: {} };
  return { id: job.id, state: 'failed', failure_reason: reasons[job.outcome], assets: null };
}
