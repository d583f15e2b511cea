import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** How a server of weights misbehaves. */
export interface Manners {
  /** The connection is cut after so many bytes of each answer. */
  cutAfter?: number;
  /** How many answers are cut; default all. */
  cuts?: number;
  /** Instead of being cut the connection stays open, and nothing more comes. */
  hangs?: boolean;
  /** Ranges are not heard. */
  ignoresRanges?: boolean;
  /** The first answers have this status and no file. */
  failures?: { status: number; count: number };
  /** Another ETag for every answer: the file is another one each time. */
  changes?: boolean;
  /** Answers of this path send on to another. */
  redirects?: Record<string, string>;
  hasNoValidator?: boolean;
}

export interface Asked {
  method: string;
  url: string;
  range: string | undefined;
  status: number;
}

export interface WeightsServer {
  origin: string;
  asked: Asked[];
  /** What it gives by path; may be changed. */
  files: Record<string, Uint8Array>;
  manners: Manners;
}

/** A server of files that misbehaves as it is told; it ends with the test. */
export async function weightsServer(files: Record<string, Uint8Array>, manners: Manners = {}): Promise<WeightsServer> {
  const state: WeightsServer = { origin: '', asked: [], files, manners };
  const server = createServer((request, response) => answer(state, request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  state.origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return state;
}

function answer(state: WeightsServer, request: IncomingMessage, response: ServerResponse): void {
  const { url = '', method = '' } = request;
  const { manners, asked } = state;
  const say = (status: number, headers: Record<string, string | number> = {}) => {
    asked.push({ method, url, range: request.headers.range, status });
    response.writeHead(status, headers);
  };
  const location = manners.redirects?.[url];
  const bytes = state.files[url];
  const refusal = refusalOf(manners, location, bytes);
  if (refusal === null && bytes) send(state, bytes, { request, response, say });
  else {
    say(refusal ?? 404, location === undefined ? {} : { location });
    response.end();
  }
}

/** The status of an answer without a file; null for one with it. */
function refusalOf({ failures }: Manners, location: string | undefined, bytes: Uint8Array | undefined): number | null {
  if (failures && failures.count-- > 0) return failures.status;
  if (location !== undefined) return 302;
  return bytes ? null : 404;
}

interface Sending {
  request: IncomingMessage;
  response: ServerResponse;
  say(status: number, headers: Record<string, string | number>): void;
}

function send({ manners, asked }: WeightsServer, bytes: Uint8Array, { request, response, say }: Sending): void {
  const etag = `"${manners.changes ? asked.length : bytes.length}"`;
  const begin = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  const isHeard = begin > 0 && !manners.ignoresRanges && request.headers['if-range'] === etag;
  const validator = manners.hasNoValidator ? {} : { etag };
  if (isHeard && begin >= bytes.length) {
    say(416, { 'content-range': `bytes */${bytes.length}` });
    response.end();
    return;
  }
  const rest = isHeard ? bytes.subarray(begin) : bytes;
  const range = { 'content-range': `bytes ${begin}-${bytes.length - 1}/${bytes.length}` };
  say(isHeard ? 206 : 200, { 'content-length': rest.length, ...validator, ...(isHeard ? range : {}) });
  if (manners.cutAfter === undefined || rest.length <= manners.cutAfter || (manners.cuts ?? 1) <= 0) {
    response.end(rest);
    return;
  }
  if (manners.cuts !== undefined) manners.cuts -= 1;
  response.write(rest.subarray(0, manners.cutAfter), () => manners.hangs || response.destroy());
}
