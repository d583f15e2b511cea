import { type Desk, type FakeJob, fakeKey, lastOf, type Refusal, type Reply, type Wire } from './wire.js';

const refusals: Record<Refusal, Reply> = {
  capacity: failure(429, 'RESOURCE_EXHAUSTED', 'You exceeded your current quota for requests per minute'),
  content: failure(400, 'INVALID_ARGUMENT', 'The prompt was blocked for safety'),
  budget: { status: 402, json: {} },
  auth: failure(400, 'INVALID_ARGUMENT', 'API key not valid. Please pass a valid API key.'),
  invalid: failure(400, 'INVALID_ARGUMENT', 'Unknown name "foo"'),
};

const common = {
  makes: 'clip',
  isAuthorized: ({ headers }) => headers['x-goog-api-key'] === fakeKey,
  refused: (refusal) => refusals[refusal],
} satisfies Partial<Wire>;

/** Omni by interactions in the background; a clip may come inline or as an address that wants the key. */
export const omniWire: Wire = {
  ...common,
  name: 'gemini',
  submission: ({ method, path }) =>
    method === 'POST' && path === '/interactions' ? { externalId: null, callbackUrl: null } : null,
  accepted: (job) => ({ status: 200, json: { id: job.id, status: 'in_progress' } }),
  answer({ path, method }, desk) {
    if (path.startsWith('/files/'))
      return { status: 302, headers: { location: desk.look(lastOf(path))?.resultUrl ?? '' } };
    const id = path.split('/')[2] ?? '';
    if (method === 'POST') return desk.cancel(id) ? { status: 200, json: {} } : null;
    const job = desk.look(id);
    return job ? { status: 200, json: interaction(job, desk) } : failure(404, 'NOT_FOUND', 'not found');
  },
};

function interaction(job: FakeJob, { base, result }: Desk): Record<string, unknown> {
  if (job.state === 'cancelled') return { id: job.id, status: 'cancelled' };
  if (job.state !== 'ended') return { id: job.id, status: 'in_progress' };
  const isLarge = job.submitted.json?.input === 'large' || String(job.submitted.json?.input).startsWith('large');
  const video = isLarge ? { uri: `${base}/files/${job.id}` } : { data: result.toString('base64') };
  if (job.outcome === 'done') return { id: job.id, status: 'completed', output_video: video };
  if (job.outcome === 'empty') return { id: job.id, status: 'completed', steps: [] };
  const message = job.outcome === 'content' ? 'blocked by policy' : 'internal error';
  return { id: job.id, status: 'failed', error: { code: 13, message } };
}

/** Veo by long-running operations. */
export const veoWire: Wire = {
  ...common,
  name: 'gemini',
  submission: ({ method, path }) =>
    method === 'POST' && path.endsWith(':predictLongRunning') ? { externalId: null, callbackUrl: null } : null,
  accepted: (job) => ({ status: 200, json: { name: `models/veo/operations/${job.id}` } }),
  answer({ path }, desk) {
    if (path.startsWith('/files/'))
      return { status: 302, headers: { location: desk.look(lastOf(path))?.resultUrl ?? '' } };
    const job = desk.look(lastOf(path));
    return job ? { status: 200, json: operation(job, desk) } : failure(404, 'NOT_FOUND', 'not found');
  },
};

function operation(job: FakeJob, { base }: Desk): Record<string, unknown> {
  const name = `models/veo/operations/${job.id}`;
  if (job.state !== 'ended') return { name };
  const made = (response: object) => ({ name, done: true, response: { generateVideoResponse: response } });
  if (job.outcome === 'done') return made({ generatedSamples: [{ video: { uri: `${base}/files/${job.id}` } }] });
  if (job.outcome === 'empty') return made({});
  if (job.outcome === 'content')
    return made({ raiMediaFilteredCount: 1, raiMediaFilteredReasons: ['It shows a child.'] });
  const status = job.outcome === 'capacity' ? 'RESOURCE_EXHAUSTED' : 'INTERNAL';
  return { name, done: true, error: { code: 13, status, message: `it ${job.outcome}` } };
}

function failure(status: number, word: string, message: string): Reply {
  return { status, json: { error: { code: status, status: word, message } } };
}
