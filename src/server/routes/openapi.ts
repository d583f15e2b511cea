import type Router from '@koa/router';
import type { Operation } from '../../engine/operations/operation.js';
import { paramsSchema } from '../params-schema.js';
import { baseUrl, type RequestState } from '../request.js';
import type { Surface } from '../server.js';

/** `GET /openapi.json`, also as `/v1/openapi.json`: the operations, from the very schemas that check their params. */
export function addOpenApiRoute(router: Router<RequestState>, { engine, options }: Surface): void {
  const paths = Object.assign({}, ...engine.operations.map(pathsOf), statusPaths, foreignPaths);
  for (const path of ['/openapi.json', '/v1/openapi.json']) {
    router.get(path, (ctx) => {
      ctx.body = {
        openapi: '3.1.0',
        info: { title: 'Darkroom', version: '0.1.0', description: 'Self-hosted media processing on open models' },
        servers: [{ url: baseUrl(ctx, options.publicBaseUrl) }],
        paths,
        components: { securitySchemes: { key: { type: 'http', scheme: 'bearer' } }, schemas: { Error: errorSchema } },
        security: [{ key: [] }, {}],
      };
    });
  }
}

type Paths = Record<string, Record<string, object>>;

function pathsOf(operation: Operation): Paths {
  const { name, summary, syncPaths } = operation;
  const requestBody = { required: true, content: contentOf(operation) };
  const accepted = { ...answers, 202: { description: 'Accepted and durable: follow it at /api/generate/status/{id}' } };
  const done = { ...answers, 200: { description: 'The result, as OpenAI’s pictures or as its bytes' } };
  const twins = syncPaths.map((path) => [
    `/v1/images/${path}`,
    { post: { operationId: `sync-${path}`, summary: `${summary}, waited for`, requestBody, responses: done } },
  ]);
  const post = { operationId: name, summary, requestBody, responses: accepted };
  return { [`/api/generate/${name}`]: { post }, ...Object.fromEntries(twins) };
}

/** Multipart with files, or JSON with addresses and base64: the params are the same. */
function contentOf({ params, pictures }: Operation): Record<string, object> {
  const { properties = {}, required } = paramsSchema(params);
  const common = { preset: { type: 'string', description: 'Name of a preset, whose params lie under those given' } };
  const files = Object.fromEntries(
    pictures.map(({ field, max = 1 }) => [field, max > 1 ? { type: 'array', items: binary, maxItems: max } : binary]),
  );
  const links = Object.fromEntries(pictures.map(({ field }) => [`${field}_url`, address]));
  const mustCome = pictures.filter((picture) => picture.required).map(({ field }) => field);
  return {
    'multipart/form-data': {
      schema: {
        type: 'object',
        properties: { ...files, ...common, ...properties },
        required: [...mustCome, ...required],
      },
    },
    'application/json': {
      schema: {
        type: 'object',
        properties: { ...links, ...common, ...properties },
        required: [...mustCome.map((field) => `${field}_url`), ...required],
      },
    },
  };
}

const binary = { type: 'string', format: 'binary' };
const address = { type: 'string', description: 'An https address, a data URI, or an output of this server' };

const error = {
  description: 'What was wrong',
  content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
};
const answers = { 400: error, 401: error, 413: error, 429: error, 503: error };

const errorSchema = {
  type: 'object',
  properties: {
    error: {
      type: 'object',
      properties: {
        message: { type: 'string' },
        type: { type: 'string' },
        code: { type: ['string', 'null'] },
        param: { type: ['string', 'null'] },
      },
      required: ['message', 'type', 'code', 'param'],
    },
  },
  required: ['error'],
};

const statusPaths: Paths = {
  '/api/generate/status/{id}': {
    get: {
      operationId: 'status',
      summary: 'A job as it is now',
      parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }],
      responses: { 200: { description: 'The job' }, 404: error },
    },
  },
};

const png = { description: 'The cut-out', content: { 'image/png': { schema: binary } } };

/** Of other services, with the fields that they document. */
const foreignPaths: Paths = {
  '/v1.0/removebg': {
    post: {
      operationId: 'removebg',
      summary: 'Removes a background, as remove.bg does',
      responses: { 200: png, 400: error },
    },
  },
  '/api/remove': {
    get: {
      operationId: 'rembg-url',
      summary: 'Removes a background, as rembg’s server does',
      parameters: [{ name: 'url', in: 'query', required: true, schema: { type: 'string' } }],
      responses: { 200: png, 400: error },
    },
    post: { operationId: 'rembg', summary: 'The same of a `file`', responses: { 200: png, 400: error } },
  },
};
