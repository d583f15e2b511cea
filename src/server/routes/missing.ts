import type Router from '@koa/router';
import type { Middleware } from 'koa';
import { EngineError } from '../../engine/errors.js';
import { sendError } from '../errors.js';
import type { RequestState } from '../request.js';

/** Answers what no route took: 405 with the methods that the path has, or `not_found` with the paths that there are. */
export function answerMissing(routers: Router<RequestState>[]): Middleware<RequestState> {
  const routes = routers.flatMap(({ stack }) => stack);
  const listing = routes.map(
    ({ methods, path }) => `${methods.filter((method) => method !== 'HEAD').join('|')} ${path}`,
  );
  return (ctx) => {
    const allowed = [...new Set(routes.filter((route) => route.match(ctx.path)).flatMap(({ methods }) => methods))];
    if (allowed.length === 0) {
      const asked = `${ctx.method} ${ctx.path.slice(0, 100)}`;
      throw new EngineError('not_found', `There is no ${asked}. There is: ${[...new Set(listing)].join(', ')}`);
    }
    sendError(ctx, 'method_not_allowed', `Expected ${allowed.join(' or ')} for ${ctx.path}, got ${ctx.method}`);
    ctx.set('Allow', allowed.join(', '));
  };
}
