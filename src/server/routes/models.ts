import type Router from '@koa/router';
import { EngineError } from '../../engine/errors.js';
import type { Operation } from '../../engine/operations/operation.js';
import { presentModels } from '../present-models.js';
import { paramsSchema } from '../params-schema.js';
import type { RequestState } from '../request.js';
import type { Surface } from '../server.js';

/** `GET /v1/models` in the OpenAI list shape, and `GET /v1/operations`: what can be asked for and with which params. */
export function addModelRoutes(router: Router<RequestState>, { engine }: Surface): void {
  const list = async () => presentModels(await engine.models(), await engine.backends());
  router.get('/v1/models', async (ctx) => {
    ctx.body = { object: 'list', data: await list() };
  });
  // Models of services are called `service/model`.
  router.get('/v1/models/:id{/:rest}', async (ctx) => {
    const id = [ctx.params.id, ctx.params.rest].filter(Boolean).join('/');
    const model = (await list()).find((each) => each.id === id);
    if (model === undefined) throw new EngineError('not_found', `There is no model \`${id}\``, { param: 'model' });
    ctx.body = model;
  });
  const operations = engine.operations.map(presentOperation);
  router.get('/v1/presets', (ctx) => {
    ctx.body = { object: 'list', data: engine.presets().map((preset) => ({ ...preset, object: 'preset' })) };
  });
  router.get('/v1/operations', (ctx) => {
    ctx.body = { object: 'list', data: operations };
  });
}

function presentOperation(operation: Operation) {
  return {
    id: operation.name,
    object: 'operation',
    type: operation.type,
    summary: operation.summary,
    path: `/api/generate/${operation.name}`,
    batch: operation.batch ? { path: `/api/generate/${operation.name}/batch`, max: operation.batch.max } : null,
    sync_paths: operation.syncPaths.map((path) => `/v1/images/${path}`),
    image_fields: operation.pictures.map(({ field }) => field),
    pictures: operation.pictures.map(({ field, required = false, max = 1 }) => ({ field, required, max })),
    parameters: paramsSchema(operation.params),
  };
}
