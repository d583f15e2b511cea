import { createHmac } from 'node:crypto';
import { jwtVerify } from 'jose';
import { bearer, type FakeJob, fakeSecret, lastOf, type Refusal, type Reply, text, type Wire } from './wire.js';

export const accessKey = 'access-key-of-a-test';
export const secretKey = 'secret-key-of-a-test-that-is-long-enough';

const refusals: Record<Refusal, [status: number, code: number, message: string]> = {
  capacity: [429, 1303, 'parallel task over resource pack limit'],
  content: [400, 1301, 'Failure to pass the risk control system'],
  budget: [429, 1102, 'Account balance not enough'],
  auth: [401, 1002, 'access key not found'],
  invalid: [400, 1201, 'duration is invalid'],
};

/** Both generations: `/v1/videos/…` and a path for each model. */
export const klingWire: Wire = {
  name: 'kling',
  makes: 'clip',

  async isAuthorized(request, clock) {
    if (bearer(request)) return true;
    const token = request.headers.authorization?.replace('Bearer ', '') ?? '';
    const key = new TextEncoder().encode(secretKey);
    const options = { issuer: accessKey, currentDate: new Date(clock), algorithms: ['HS256'] };
    return jwtVerify(token, key, options).then(
      ({ payload }) => payload.iat === undefined,
      () => false,
    );
  },

  submission({ method, path, json }) {
    if (method !== 'POST' || !/^\/(v1\/videos|text-to-video|image-to-video)\//.test(path)) return null;
    const options = Object(json?.options ?? json);
    return { externalId: text(options.external_task_id), callbackUrl: text(options.callback_url) };
  },

  complaint({ json }) {
    const isNumber = typeof json?.duration === 'number';
    return isNumber ? refuse([400, 1201, 'duration must be a string']) : null;
  },

  accepted(job) {
    const isNew = !job.submitted.path.startsWith('/v1/');
    const data = isNew ? { id: job.id, status: 'submitted' } : oldTask({ ...job, state: 'queued' });
    return { status: 200, json: { code: 0, message: 'SUCCEED', request_id: 'r-1', data } };
  },

  refused: (refusal) => refuse(refusals[refusal]),

  answer({ path, query }, desk) {
    if (path === '/tasks') {
      const job = query.task_ids ? desk.look(query.task_ids) : desk.named(query.external_task_ids ?? '');
      return { status: 200, json: { code: 0, data: job ? [newTask(job)] : [] } };
    }
    const name = lastOf(path);
    const job = desk.look(name) ?? desk.named(name);
    return job ? { status: 200, json: { code: 0, data: oldTask(job) } } : refuse([404, 1203, 'task not found']);
  },

  callback(job, at) {
    const body = JSON.stringify(oldTask(job));
    const seconds = String(Math.floor(at / 1000));
    const signature = createHmac('sha256', fakeSecret).update(`${job.id}.${seconds}.${body}`).digest('base64');
    const headers = { 'webhook-id': job.id, 'webhook-timestamp': seconds, 'webhook-signature': `v1,${signature}` };
    return { headers, body };
  },
};

const states = { queued: 'submitted', running: 'processing', cancelled: 'failed' } as const;
const reasons = { failed: 'internal error', content: 'risk control failed', capacity: 'system busy' } as const;

function stateOf({ state, outcome }: FakeJob, succeeded: string): string {
  if (state !== 'ended') return states[state];
  return outcome === 'done' || outcome === 'empty' ? succeeded : 'failed';
}

function reasonOf({ outcome }: FakeJob): string {
  return outcome in reasons ? reasons[outcome as keyof typeof reasons] : '';
}

function oldTask(job: FakeJob): Record<string, unknown> {
  const videos = job.outcome === 'done' ? [{ id: 'v-1', url: job.resultUrl, duration: '5.041' }] : [];
  return {
    task_id: job.id,
    task_status: stateOf(job, 'succeed'),
    task_status_msg: reasonOf(job),
    task_info: { external_task_id: job.externalId },
    ...(job.state === 'ended' && { task_result: { videos }, final_unit_deduction: '2.5' }),
    created_at: 1_722_769_557_708,
    updated_at: 1_722_769_557_708,
  };
}

function newTask(job: FakeJob): Record<string, unknown> {
  const outputs = job.outcome === 'done' ? [{ type: 'video', url: job.resultUrl, duration: 5 }] : [];
  return {
    id: job.id,
    status: stateOf(job, 'succeeded'),
    message: reasonOf(job),
    ...(job.state === 'ended' && { outputs }),
  };
}

function refuse([status, code, message]: [number, number, string]): Reply {
  return { status, json: { code, message, request_id: 'r-1' } };
}
