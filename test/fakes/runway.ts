import { bearer, type FakeJob, lastOf, type Refusal, type Reply, type Wire } from './wire.js';

const refusals: Record<Refusal, Reply> = {
  capacity: { status: 429, json: { error: 'Too many requests' } },
  content: { status: 400, json: { error: 'Content refused' } },
  budget: { status: 429, json: { error: 'You have reached the daily limit of generations of your tier' } },
  auth: { status: 401, json: { error: 'Invalid API key' } },
  invalid: { status: 400, json: { error: 'Validation of body failed' } },
};

const codes = { failed: 'INTERNAL.BAD_OUTPUT.CODE01', content: 'SAFETY.OUTPUT.VIDEO', capacity: 'INTERNAL' } as const;

/** Tasks; a path for words and one for pictures, and the version in a header. */
export const runwayWire: Wire = {
  name: 'runway',
  makes: 'clip',
  isAuthorized: (request) => bearer(request) && request.headers['x-runway-version'] === '2024-11-06',

  submission: ({ method, path }) =>
    method === 'POST' && /^\/v1\/(text|image|video)_to_video$/.test(path)
      ? { externalId: null, callbackUrl: null }
      : null,

  complaint({ path, json }) {
    const needsPicture = path === '/v1/image_to_video';
    return needsPicture === (json?.promptImage !== undefined) ? null : refusals.invalid;
  },

  accepted: (job) => ({ status: 200, json: { id: job.id } }),
  refused: (refusal) => refusals[refusal],

  answer({ method, path }, desk) {
    const id = lastOf(path);
    if (method === 'DELETE') return desk.cancel(id) ? { status: 204 } : null;
    const job = desk.look(id);
    return job ? { status: 200, json: task(job) } : { status: 404, json: { error: 'Task not found' } };
  },
};

function task(job: FakeJob): Record<string, unknown> {
  const common = { id: job.id, createdAt: '2026-11-22T20:38:49Z' };
  if (job.state === 'queued') return { ...common, status: 'THROTTLED' };
  if (job.state === 'running') return { ...common, status: 'RUNNING', progress: 0.5 };
  if (job.state === 'cancelled') return { ...common, status: 'CANCELLED' };
  if (job.outcome === 'done') return { ...common, status: 'SUCCEEDED', output: [job.resultUrl] };
  if (job.outcome === 'empty') return { ...common, status: 'SUCCEEDED', output: [] };
  return { ...common, status: 'FAILED', failure: `it ${job.outcome}`, failureCode: codes[job.outcome] };
}
