import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import Router from '@koa/router';
import Koa from 'koa';
import type { Logger } from 'pino';
import type { Engine } from '../engine/api.js';
import { type AuthMode, localOnly, requireKey } from './auth.js';
import { type ConnectionLimits, connectionLimits, createHttpServer } from './connections.js';
import { catchErrors } from './errors.js';
import { createByteBudget } from './limits.js';
import type { Metrics } from './metrics.js';
import { identify, type RequestState, refuseMalformed } from './request.js';
import { addCallbackRoute, addProviderRoutes } from './routes/providers.js';
import { addSoraRoutes } from './routes/sora.js';
import { addVideoRoutes } from './routes/video.js';
import { addGenerateBatchRoutes } from './routes/batches.js';
import { addGenerateRoutes } from './routes/generate.js';
import { addHealthRoutes, addMetricsRoute } from './routes/health.js';
import { addImageRoutes } from './routes/images.js';
import { addRembgRoutes } from './routes/rembg.js';
import { addRemoveBgRoute } from './routes/removebg.js';
import { answerMissing } from './routes/missing.js';
import { addModelRoutes } from './routes/models.js';
import { addOpenApiRoute } from './routes/openapi.js';
import { addOutputRoutes } from './routes/output.js';
import { addWebhookRoutes } from './routes/webhooks.js';
import type { UploadLimits } from './upload.js';
import { Waits } from './waits.js';

export interface ServerOptions {
  auth: AuthMode;
  log: Logger;
  metrics: Metrics;
  /** Start of the URLs in answers; default: the Host that was asked for. */
  publicBaseUrl?: string | undefined;
  /** Of one file. */
  maxUploadBytes: number;
  /** How long outputs are kept. */
  retentionMs: number;
  connections?: Partial<ConnectionLimits>;
  /** Between two signs of life on an event stream; default 15 s. */
  heartbeatMs?: number;
  now?: () => number;
}

/** What the routes work with. */
export interface Surface {
  engine: Engine;
  options: ServerOptions;
  uploads: UploadLimits;
  waits: Waits;
  now: () => number;
}

export interface DarkroomServer {
  /** Starts to listen; returns the address as a URL. Rejects with the error of `listen`. */
  listen(port: number, host: string): Promise<string>;
  /** Takes no more connections, ends what waits for jobs, lets answers that are under way end for `graceMs`. */
  close(graceMs?: number): Promise<void>;
}

/** The HTTP surface of an engine. */
export function createServer(engine: Engine, options: ServerOptions): DarkroomServer {
  const waits = new Waits();
  const requestTimeoutMs = connectionLimits.requestTimeoutMs + options.maxUploadBytes / slowestUploadBytesPerMs;
  const limits = { ...connectionLimits, requestTimeoutMs, ...options.connections };
  const surface: Surface = { engine, options, uploads: uploadLimits(options), waits, now: options.now ?? Date.now };
  const openRoutes = createRouter();
  addHealthRoutes(openRoutes, surface);
  addOutputRoutes(openRoutes, surface);
  addCallbackRoute(openRoutes, surface);
  const routes = createRouter();
  addGenerateBatchRoutes(routes, surface);
  addGenerateRoutes(routes, surface);
  addImageRoutes(routes, surface);
  addRemoveBgRoute(routes, surface);
  addRembgRoutes(routes, surface);
  addVideoRoutes(routes, surface);
  addSoraRoutes(routes, surface);
  addModelRoutes(routes, surface);
  addOpenApiRoute(openRoutes, surface);
  addProviderRoutes(routes, surface);
  addWebhookRoutes(routes, surface);
  addMetricsRoute(routes, surface);

  const app = new Koa<RequestState>({ env: 'production' });
  app.use(identify(options.log));
  app.use(catchErrors());
  app.use(refuseMalformed(limits.headers));
  if (options.auth === 'off') app.use(localOnly());
  app.use(openRoutes.routes());
  if (options.auth === 'required') app.use(requireKey(engine.keys));
  app.use(routes.routes());
  app.use(answerMissing([openRoutes, routes]));
  app.on('error', (err: Error) => logBrokenAnswer(options.log, err));

  const server = createHttpServer(app.callback(), limits);
  return {
    listen: (port, host) => listen(server, port, host),
    close: (graceMs = 5_000) => close(server, waits, graceMs),
  };
}

/** 200 KB/s: 50 MB may take 250 s. */
const slowestUploadBytesPerMs = 200;

function createRouter(): Router<RequestState> {
  return new Router<RequestState>({ sensitive: true });
}

/** Base64 is a third larger than its picture; parsing much more than this would hold up everybody else. */
const maxJsonBytes = 32_000_000;
const jsonMemory = 8 * maxJsonBytes;

function uploadLimits({ maxUploadBytes }: ServerOptions): UploadLimits {
  const maxBytes = Math.min(Math.ceil((maxUploadBytes * 4) / 3) + 1_000_000, maxJsonBytes);
  return { maxUploadBytes, json: { maxBytes, budget: createByteBudget(jsonMemory) } };
}

/** An answer that broke off after its status: mostly clients that left, otherwise a file that could not be read. */
function logBrokenAnswer(log: Logger, err: NodeJS.ErrnoException): void {
  const isClients = ['ERR_STREAM_PREMATURE_CLOSE', 'ECONNRESET', 'EPIPE'].includes(err.code ?? '');
  log[isClients ? 'debug' : 'error']({ err }, 'An answer broke off');
}

async function listen(server: Server, port: number, host: string): Promise<string> {
  server.listen(port, host);
  await once(server, 'listening');
  const { address, family, port: actualPort } = server.address() as AddressInfo;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${actualPort}`;
}

async function close(server: Server, waits: Waits, graceMs: number): Promise<void> {
  if (!server.listening) return;
  const closed = once(server, 'close');
  server.close();
  waits.close();
  // A connection whose last answer has just ended is idle, and would be kept for the next request.
  const sweep = setInterval(() => server.closeIdleConnections(), 50);
  const end = setTimeout(() => server.closeAllConnections(), graceMs);
  await closed;
  clearInterval(sweep);
  clearTimeout(end);
}
