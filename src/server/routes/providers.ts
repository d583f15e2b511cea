import type Router from '@koa/router';
import { EngineError } from '../../engine/errors.js';
import { readBytes, readJson } from '../json-body.js';
import { presentProviders } from '../present-providers.js';
import type { RequestState } from '../request.js';
import type { Surface } from '../server.js';
import { findJob } from './generate.js';

/** Services call back with little more than the id of a job. */
const maxCallbackBytes = 1_000_000;

/**
 * `GET /v1/providers`: every backend of the router, whether it can be used now and if not why, and how it has done.
 * `POST /v1/generations/{id}/feedback`: what the user thinks of a result, from which the choice by quality learns.
 */
export function addProviderRoutes(router: Router<RequestState>, surface: Surface): void {
  const { engine, uploads } = surface;
  router.get('/v1/providers', async (ctx) => {
    ctx.set('Cache-Control', 'no-store');
    ctx.body = { object: 'list', data: presentProviders(await engine.backends()) };
  });
  router.post('/v1/generations/:id/feedback', async (ctx) => {
    const { id } = await findJob(ctx, surface);
    const { rating } = await readJson(ctx.req, uploads.json);
    await engine.rate(id, readRating(rating));
    ctx.status = 204;
  });
}

/** Where services tell that a job has changed; whoever knows the address may call it, with the right signature. */
export function addCallbackRoute(router: Router<RequestState>, { engine, uploads }: Surface): void {
  router.post('/v1/providers/:provider/callbacks/:job/:token', async (ctx) => {
    const body = await readBytes(ctx.req, { ...uploads.json, maxBytes: maxCallbackBytes });
    const { provider = '', job = '', token = '' } = ctx.params;
    const headers = ctx.headers as Record<string, string | undefined>;
    await engine.callBack({ provider, job, token, headers, body });
    ctx.status = 204;
  });
}

/** 1..5 stars as 0..1. */
function readRating(value: unknown): number {
  const stars = Number(value);
  if (typeof value === 'number' && stars >= 1 && stars <= 5) return (stars - 1) / 4;
  const message = `Expected \`rating\` to be a number, 1..5, got ${JSON.stringify(value)?.slice(0, 60)}`;
  throw new EngineError('invalid_input', message, { param: 'rating' });
}
