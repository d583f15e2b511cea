import { bearer, type FakeJob, lastOf, type Refusal, type Reply, text, type Wire } from './wire.js';

const refusals: Record<Refusal, [status: number, code: string]> = {
  capacity: [429, 'ModelAccountRpmRateLimitExceeded'],
  content: [400, 'InputTextSensitiveContentDetected'],
  budget: [429, 'QuotaExceeded'],
  auth: [404, 'ModelNotOpen'],
  invalid: [400, 'InvalidParameter'],
};

const statuses = { queued: 'queued', running: 'running', cancelled: 'cancelled' } as const;
const errors = {
  failed: 'InternalServiceError',
  content: 'OutputVideoSensitiveContentDetected.PolicyViolation',
  capacity: 'ServerOverloaded',
} as const;

/** Seedance tasks; a failed one is an answer with status 200. */
export const arkWire: Wire = {
  name: 'ark',
  makes: 'clip',
  isAuthorized: bearer,

  submission({ method, path, json }) {
    if (method !== 'POST' || path !== '/contents/generations/tasks') return null;
    return { externalId: null, callbackUrl: text(json?.callback_url) };
  },

  accepted: (job) => ({ status: 200, json: { id: job.id } }),
  refused: (refusal) => refuse(refusals[refusal]),

  answer({ method, path }, desk) {
    const id = lastOf(path);
    if (method === 'DELETE') return desk.cancel(id) ? { status: 200, json: {} } : null;
    const job = desk.look(id);
    return job ? { status: 200, json: task(job) } : refuse([404, 'ResourceNotFound']);
  },

  callback: (job) => ({ headers: {}, body: JSON.stringify(task(job)) }),
};

/** Seedream answers with the pictures themselves. */
export const seedreamWire: Wire = {
  name: 'ark',
  makes: 'picture',
  isAuthorized: bearer,
  submission: ({ path }) => (path === '/images/generations' ? { externalId: null, callbackUrl: null } : null),
  accepted({ resultUrl, outcome }) {
    if (outcome === 'done') return { status: 200, json: { data: [{ url: resultUrl, size: '2048x2048' }], usage: {} } };
    if (outcome === 'empty') return { status: 200, json: { data: [] } };
    return refuse(refusals[outcome === 'failed' ? 'invalid' : outcome]);
  },
  refused: (refusal) => refuse(refusals[refusal]),
  answer: () => null,
};

function task(job: FakeJob): Record<string, unknown> {
  const common = { id: job.id, model: 'seedance-1-5-pro-251215', usage: { completion_tokens: 108_900 } };
  if (job.state !== 'ended') return { ...common, status: statuses[job.state] };
  if (job.outcome === 'done') return { ...common, status: 'succeeded', content: { video_url: job.resultUrl } };
  if (job.outcome === 'empty') return { ...common, status: 'succeeded', content: {} };
  return { ...common, status: 'failed', error: { code: errors[job.outcome], message: `it ${job.outcome}` } };
}

function refuse([status, code]: [number, string]): Reply {
  return {
    status,
    json: { error: { code, message: `The request was refused: ${code}`, param: '', type: 'BadRequest' } },
  };
}
