import { bearer, type FakeJob, lastOf, type Refusal, type Reply, type Wire } from './wire.js';

const refusals: Record<Refusal, [status: number, code: string]> = {
  capacity: [429, 'rate_limit_exceeded'],
  content: [400, 'moderation_blocked'],
  budget: [429, 'insufficient_quota'],
  auth: [401, 'invalid_api_key'],
  invalid: [400, 'invalid_value'],
};

/** A gateway that speaks the shape of the videos API. */
export const openaiVideosWire: Wire = {
  name: 'openai-videos',
  makes: 'clip',
  isAuthorized: bearer,
  submission: ({ method, path }) =>
    method === 'POST' && path === '/videos' ? { externalId: null, callbackUrl: null } : null,
  accepted: (job) => ({ status: 200, json: video({ ...job, state: 'queued' }) }),
  refused: (refusal) => refuse(refusals[refusal]),
  answer({ method, path }, desk) {
    const [, , id = '', part] = path.split('/');
    if (part === 'content') return { status: 302, headers: { location: desk.look(id)?.resultUrl ?? '' } };
    if (method === 'DELETE') return desk.cancel(id) ? { status: 200, json: { id, deleted: true } } : null;
    const job = desk.look(lastOf(path));
    return job ? { status: 200, json: video(job) } : refuse([404, 'not_found']);
  },
};

const statuses = { queued: 'queued', running: 'in_progress', cancelled: 'failed' } as const;
const codes = {
  failed: 'internal_error',
  content: 'moderation_blocked',
  capacity: 'overloaded',
  empty: 'internal_error',
};

function video(job: FakeJob): Record<string, unknown> {
  const common = { id: job.id, object: 'video', created_at: 1_795_376_396, progress: job.state === 'running' ? 40 : 0 };
  if (job.state !== 'ended') return { ...common, status: statuses[job.state] };
  if (job.outcome === 'done') return { ...common, status: 'completed', progress: 100 };
  return { ...common, status: 'failed', error: { code: codes[job.outcome], message: `it ${job.outcome}` } };
}

/** The images API: the picture is the answer. */
export const openaiImagesWire: Wire = {
  name: 'openai-images',
  makes: 'picture',
  isAuthorized: bearer,
  submission: ({ path }) => (path.startsWith('/images/') ? { externalId: null, callbackUrl: null } : null),
  accepted({ outcome }, { result }) {
    if (outcome === 'done')
      return { status: 200, json: { created: 1, data: [{ b64_json: result.toString('base64') }] } };
    if (outcome === 'empty') return { status: 200, json: { created: 1, data: [] } };
    return refuse(refusals[outcome === 'failed' ? 'invalid' : outcome]);
  },
  refused: (refusal) => refuse(refusals[refusal]),
  answer: () => null,
};

function refuse([status, code]: [number, string]): Reply {
  return { status, json: { error: { message: `The request was refused: ${code}`, type: 'error', param: null, code } } };
}
