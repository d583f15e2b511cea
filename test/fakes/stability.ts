import { bearer, type Refusal, type Reply, type Wire } from './wire.js';

const refusals: Record<Refusal, [status: number, name: string]> = {
  capacity: [429, 'rate_limit_exceeded'],
  content: [403, 'content_moderation'],
  budget: [402, 'payment_required'],
  auth: [401, 'unauthorized'],
  invalid: [400, 'bad_request'],
};

/** Stable Image: base64 in JSON, if it is asked for. */
export const stabilityWire: Wire = {
  name: 'stability',
  makes: 'picture',
  isAuthorized: bearer,
  submission: ({ path }) => (path.startsWith('/v2beta/stable-image/') ? { externalId: null, callbackUrl: null } : null),
  accepted({ outcome, submitted }, { result }) {
    if (submitted.headers.accept !== 'application/json') return refuse([400, 'bad_request']);
    const image = result.toString('base64');
    if (outcome === 'done') return { status: 200, json: { image, finish_reason: 'SUCCESS', seed: 1 } };
    if (outcome === 'content') return { status: 200, json: { image, finish_reason: 'CONTENT_FILTERED', seed: 1 } };
    if (outcome === 'empty') return { status: 200, json: { finish_reason: 'SUCCESS' } };
    return refuse(refusals[outcome === 'failed' ? 'invalid' : outcome]);
  },
  refused: (refusal) => refuse(refusals[refusal]),
  answer: () => null,
};

function refuse([status, name]: [number, string]): Reply {
  return { status, json: { id: 'e-1', name, errors: [`The request was refused: ${name}`] } };
}
