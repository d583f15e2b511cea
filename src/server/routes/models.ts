import type Router from '@koa/router';
import { z } from 'zod';
import type { ListedModel } from '../../engine/api.js';
import { EngineError } from '../../engine/errors.js';
import type { Operation } from '../../engine/operations/operation.js';
import type { RequestState } from '../request.js';
import type { Surface } from '../server.js';

/** `GET /v1/models` in the OpenAI list shape, and `GET /v1/operations`: what can be asked for and with which params. */
export function addModelRoutes(router: Router<RequestState>, { engine }: Surface): void {
  router.get('/v1/models', async (ctx) => {
    ctx.body = { object: 'list', data: (await engine.models()).map(presentModel) };
  });
  router.get('/v1/models/:id', async (ctx) => {
    const model = (await engine.models()).find(({ id }) => id === ctx.params.id);
    if (model === undefined)
      throw new EngineError('not_found', `There is no model \`${ctx.params.id}\``, { param: 'model' });
    ctx.body = presentModel(model);
  });
  const operations = engine.operations.map(presentOperation);
  router.get('/v1/operations', (ctx) => {
    ctx.body = { object: 'list', data: operations };
  });
}

function presentModel(model: ListedModel) {
  return {
    id: model.id,
    object: 'model',
    /** Clients expect a number; when weights were made is not known. */
    created: 0,
    owned_by: model.family,
    task: model.task,
    tier: model.tier,
    /** Whether it runs on this machine or at a service. */
    runs: 'local',
    licence: model.licence,
    licence_url: model.licenceUrl,
    commercial_use: model.commercialUse,
    bytes: model.bytes,
    installed: model.installed,
    available: model.problem === null,
    problem: model.problem,
    device: model.device,
    speed: model.speed && {
      device: model.speed.device,
      jobs: model.speed.jobs,
      infer_ms: Math.round(model.speed.inferMs),
      megapixels_per_second: model.speed.megapixelsPerSecond && Number(model.speed.megapixelsPerSecond.toPrecision(3)),
    },
  };
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
    parameters: schemaOf(operation.params),
  };
}

/** The schema of the params as they are after parsing, which knows every default; what has one need not be sent, and more may be. */
function schemaOf(params: Operation['params']) {
  const { additionalProperties: _, required = [], ...schema } = z.toJSONSchema(params, { unrepresentable: 'any' });
  const hasDefault = (name: string) => Object.hasOwn(Object(schema.properties?.[name]), 'default');
  return { ...schema, required: required.filter((name) => !hasDefault(name)) };
}
