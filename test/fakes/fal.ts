import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { type FakeJob, fakeKey, type Received, type Refusal, type Reply, text, type Wire } from './wire.js';

const keys = generateKeyPairSync('ed25519');
/** What `https://rest.fal.ai/.well-known/jwks.json` holds for this fake. */
export const jwks = { keys: [keys.publicKey.export({ format: 'jwk' })] };

const refusals: Record<Refusal, Reply> = {
  capacity: { status: 429, json: { detail: 'Too many requests' } },
  content: detail('content_policy_violation', 'The content could not be processed'),
  budget: { status: 403, json: { detail: 'User is locked. Reason: Exhausted balance.' } },
  auth: { status: 401, json: { detail: 'No user found for Key ID and Secret' } },
  invalid: detail('missing', 'Field required'),
};

/** The queue; that a job is COMPLETED says nothing of how it ended. */
export const falWire: Wire = {
  name: 'fal',
  makes: 'clip',
  isAuthorized: ({ headers }) => headers.authorization === `Key ${fakeKey}`,

  submission({ method, query, path }) {
    if (method !== 'POST' || path.includes('/requests/')) return null;
    return { externalId: null, callbackUrl: text(query.fal_webhook) };
  },

  accepted(job, { base }) {
    // Addresses of a job have lost the sub-path of the model.
    const [, owner, alias] = job.submitted.path.split('/');
    const address = `${base}/${owner}/${alias}/requests/${job.id}`;
    const urls = { status_url: `${address}/status`, response_url: address, cancel_url: `${address}/cancel` };
    return { status: 200, json: { request_id: job.id, ...urls, status: 'IN_QUEUE', queue_position: 0 } };
  },

  refused: (refusal) => refusals[refusal],

  answer({ method, path }, desk) {
    const [, id = '', action] = /\/requests\/([^/]+)(?:\/(\w+))?$/.exec(path) ?? [];
    if (action === 'cancel' && method === 'PUT') return desk.cancel(id) ? { status: 202, json: {} } : null;
    if (action === 'status') return status(desk.look(id));
    return response(desk.look(id));
  },

  callback(job, at) {
    const isOk = job.outcome === 'done';
    const payload = isOk ? { video: { url: job.resultUrl } } : { detail: 'failed' };
    const body = JSON.stringify({ request_id: job.id, status: isOk ? 'OK' : 'ERROR', payload });
    return { headers: signed(job.id, body, at), body };
  },
};

function status(job: FakeJob | undefined): Reply {
  if (!job) return { status: 404, json: { detail: 'Request not found' } };
  const word = { queued: 'IN_QUEUE', running: 'IN_PROGRESS', ended: 'COMPLETED', cancelled: 'COMPLETED' }[job.state];
  return { status: word === 'COMPLETED' ? 200 : 202, json: { status: word, request_id: job.id } };
}

function response(job: FakeJob | undefined): Reply {
  if (!job) return { status: 404, json: { detail: 'Request not found' } };
  if (job.state !== 'ended') return { status: 400, json: { detail: 'Request is still in progress' } };
  if (job.outcome === 'empty') return { status: 200, json: { seed: 1 } };
  if (job.outcome === 'content') return refusals.content;
  if (job.outcome === 'capacity') return { status: 503, json: { detail: 'Runner overloaded' } };
  if (job.outcome === 'failed') {
    return { status: 500, json: { detail: 'Internal server error' }, headers: { 'x-fal-error-type': 'internal' } };
  }
  return { status: 200, json: { video: { url: job.resultUrl, content_type: 'video/mp4' } } };
}

function signed(id: string, body: string, at: number): Record<string, string> {
  const timestamp = String(Math.floor(at / 1000));
  const digest = createHash('sha256').update(body).digest('hex');
  const signature = sign(null, Buffer.from([id, 'user-1', timestamp, digest].join('\n')), keys.privateKey);
  return {
    'x-fal-webhook-request-id': id,
    'x-fal-webhook-user-id': 'user-1',
    'x-fal-webhook-timestamp': timestamp,
    'x-fal-webhook-signature': signature.toString('hex'),
  };
}

function detail(type: string, msg: string): Reply {
  return { status: 422, json: { detail: [{ type, msg, loc: ['body', 'prompt'] }] } };
}

/** Whether a request bears on a model. */
export function modelOf({ path }: Received): string {
  return path.slice(1);
}
