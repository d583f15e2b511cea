import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { type AnswerCode, errorBody, statusOf } from './errors.js';
import { newRequestId } from './request.js';

/** What one connection may cost. */
export interface ConnectionLimits {
  /** Connections at the same time; more are closed at once. */
  connections: number;
  headersTimeoutMs: number;
  /** For a whole request with its body. */
  requestTimeoutMs: number;
  /** How long an unused connection is kept. */
  keepAliveMs: number;
  /** How often the timeouts are looked at. */
  checkEveryMs: number;
  headers: number;
  headerBytes: number;
}

export const connectionLimits: ConnectionLimits = {
  connections: 2048,
  headersTimeoutMs: 15_000,
  requestTimeoutMs: 60_000,
  keepAliveMs: 15_000,
  checkEveryMs: 2_000,
  headers: 100,
  headerBytes: 16 * 1024,
};

type Handler = (req: IncomingMessage, res: ServerResponse) => void;

/** An HTTP server that bounds its connections and answers in the shape of every other error when one breaks the protocol. */
export function createHttpServer(handle: Handler, limits: ConnectionLimits): Server {
  const responses = new WeakMap<Duplex, ServerResponse>();
  const handleTracked: Handler = (req, res) => {
    responses.set(req.socket, res);
    if (takePath(req)) handle(req, res);
    else refusePath(res);
  };
  const server = createServer(
    {
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      keepAliveTimeout: limits.keepAliveMs,
      connectionsCheckingInterval: limits.checkEveryMs,
      maxHeaderSize: limits.headerBytes,
      // A missing Host is for our own middleware to refuse, in our own words.
      requireHostHeader: false,
    },
    handleTracked,
  );
  server.maxConnections = limits.connections;
  server.maxHeadersCount = limits.headers;
  // Without a listener Node would invite the body before we have seen whether we want it.
  server.on('checkContinue', handleTracked);
  server.on('checkExpectation', handleTracked);
  server.on('connect', (_req, socket: Duplex) => refuseRaw(socket, 'method_not_allowed', 'This server is not a proxy'));
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    const response = responses.get(socket);
    if (!socket.writable || (response?.headersSent && !response.writableFinished)) return void socket.destroy(error);
    refuseRaw(socket, ...explain(error));
  });
  return server;
}

/** Makes the path of a whole address (RFC 9112, 3.2.2) the path of the request; false if there is none, which Koa would throw at. */
function takePath(req: IncomingMessage): boolean {
  const { url = '' } = req;
  if (url.startsWith('/')) return true;
  if (!URL.canParse(url)) return false;
  const { pathname, search } = new URL(url);
  req.url = pathname + search;
  return pathname.startsWith('/');
}

function refusePath(res: ServerResponse): void {
  const { status, headers, body } = rawAnswer('malformed_request', 'Expected a path such as /health');
  res.writeHead(status, headers).end(body);
}

function explain({ code }: NodeJS.ErrnoException): [AnswerCode, string] {
  if (code === 'HPE_HEADER_OVERFLOW') return ['headers_too_large', 'Expected shorter headers'];
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return ['request_timeout', 'The request did not arrive in time'];
  return ['malformed_request', 'Expected a valid HTTP/1.1 request'];
}

/** Answers where there is no request object to answer to, and closes. */
function refuseRaw(socket: Duplex, code: AnswerCode, message: string): void {
  const { status, headers, body } = rawAnswer(code, message);
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  socket.on('error', () => {});
  socket.end(`HTTP/1.1 ${status} \r\n${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}

function rawAnswer(code: AnswerCode, message: string) {
  const body = JSON.stringify(errorBody(code, message));
  const headers = {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': Buffer.byteLength(body),
    'x-request-id': newRequestId(),
    Connection: 'close',
  };
  return { status: statusOf(code), headers, body };
}
