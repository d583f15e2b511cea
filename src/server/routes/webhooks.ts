import type Router from '@koa/router';
import { type Delivery, type DeliveryState, deliveryStates } from '../../engine/api.js';
import { EngineError } from '../../engine/errors.js';
import { familyOf } from '../present-webhook.js';
import { timestamp } from '../present.js';
import type { Context, RequestState } from '../request.js';
import type { Surface } from '../server.js';

const defaultLimit = 20;
const maxLimit = 100;

/** `/v1/webhooks/deliveries`: what was and will be told to whom, and how the receivers answered; each can be sent again. */
export function addWebhookRoutes(router: Router<RequestState>, { engine }: Surface): void {
  const { deliveries } = engine;
  const find = async (ctx: Context & { params: Record<string, string> }): Promise<Delivery> => {
    const id = ctx.params.id ?? '';
    const delivery = await deliveries.get(id);
    if (delivery?.owner === ctx.state.owner) return delivery;
    throw new EngineError('not_found', `There is no delivery \`${id.slice(0, 100)}\``, { param: 'id' });
  };

  router.get('/v1/webhooks/deliveries', async (ctx) => {
    const { limit, ...query } = readQuery(ctx);
    const found = await deliveries.list({ ...query, owner: ctx.state.owner, limit: limit + 1 });
    const data = found.slice(0, limit).map(present);
    ctx.set('Cache-Control', 'no-store');
    ctx.body = { object: 'list', data, last_id: data.at(-1)?.id ?? null, has_more: found.length > limit };
  });
  router.get('/v1/webhooks/deliveries/:id', async (ctx) => {
    ctx.set('Cache-Control', 'no-store');
    ctx.body = present(await find(ctx));
  });
  router.post('/v1/webhooks/deliveries/:id/redeliver', async (ctx) => {
    const { id } = await find(ctx);
    ctx.status = 202;
    ctx.body = present((await deliveries.redeliver(id)) as Delivery);
  });
}

function readQuery(ctx: Context) {
  const { limit, after, state, generation_id: subject } = ctx.query;
  return {
    limit: readLimit(limit),
    ...(typeof after === 'string' && { after }),
    ...(typeof subject === 'string' && { subject }),
    ...(state !== undefined && { state: readState(state) }),
  };
}

function readLimit(value: unknown): number {
  if (value === undefined) return defaultLimit;
  const limit = Number(value);
  if (Number.isInteger(limit) && limit >= 1 && limit <= maxLimit) return limit;
  throw wrong('limit', `a whole number, 1..${maxLimit}`, value);
}

function readState(value: unknown): DeliveryState {
  const state = deliveryStates.find((each) => each === value);
  if (state !== undefined) return state;
  throw wrong('state', `one of ${deliveryStates.join(', ')}`, value);
}

function wrong(param: string, expected: string, got: unknown): EngineError {
  const shown = JSON.stringify(got).slice(0, 60);
  return new EngineError('invalid_input', `Expected \`${param}\` to be ${expected}, got ${shown}`, { param });
}

function present(delivery: Delivery) {
  const { kind, operation, status } = delivery;
  const object = `${familyOf(operation)}.${kind === 'job' ? 'generation' : 'batch'}`;
  return {
    id: delivery.id,
    object: 'webhook.delivery',
    event: `${object}.${status}`,
    generation_id: delivery.subject,
    url: delivery.url,
    state: delivery.state,
    attempts: delivery.attempts.map(({ at, ...attempt }) => ({ at: timestamp(at), ...attempt })),
    next_attempt_at: delivery.dueAt === null ? null : timestamp(delivery.dueAt),
    created_at: timestamp(delivery.createdAt),
    ended_at: delivery.endedAt === null ? null : timestamp(delivery.endedAt),
  };
}
