import { connect, type Socket } from 'node:net';
import { Writable } from 'node:stream';
import { type Logger, pino } from 'pino';
import { onTestFinished } from 'vitest';
import type { Engine } from '#src/engine/api.js';
import type { ConnectionLimits } from '#src/server/connections.js';
import { createMetrics } from '#src/server/metrics.js';
import type { PublicJob } from '#src/server/present.js';
import { createServer, type DarkroomServer, type ServerOptions } from '#src/server/server.js';
import { createPacedEngine, type PacedEngine } from './paced-engine.js';

export interface TestServer {
  engine: PacedEngine;
  server: DarkroomServer;
  /** `http://127.0.0.1:<port>` */
  url: string;
  port: number;
}

interface Options extends Partial<Omit<ServerOptions, 'connections'>> {
  connections?: Partial<ConnectionLimits>;
  /** Of the engine. */
  settings?: Record<string, string>;
}

/** A server on a free port, closed at the end of the test. */
export async function startServer({ settings, ...options }: Options = {}): Promise<TestServer> {
  const engine = await createPacedEngine(settings);
  // What is registered last is done first: the server closes before its engine.
  onTestFinished(() => engine.close(0));
  return { engine, ...(await serve(engine, options)) };
}

/** The server over an engine, on a free port; closed at the end of the test. */
export async function serve(
  engine: Engine,
  options: Omit<Options, 'settings'> = {},
): Promise<Omit<TestServer, 'engine'>> {
  const server = createServer(engine, {
    auth: 'off',
    log: pino({ level: 'silent' }),
    metrics: createMetrics(),
    maxUploadBytes: 50_000_000,
    retentionMs: 7 * 86_400_000,
    ...options,
  });
  const url = await server.listen(0, '127.0.0.1');
  onTestFinished(() => server.close(100));
  return { server, url, port: Number(new URL(url).port) };
}

/** A log that a test can read. */
export function readableLog(level: string): { log: Logger; lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = [];
  const sink = new Writable({
    write(chunk, _encoding, done) {
      lines.push(JSON.parse(String(chunk)));
      done();
    },
  });
  return { log: pino({ level }, sink), lines };
}

/** A form with one picture. */
export function pictureForm(fields: Record<string, string> = {}, name = 'image'): FormData {
  const form = new FormData();
  form.set(name, new Blob([picture], { type: 'image/png' }), 'photo.png');
  for (const [field, value] of Object.entries(fields)) form.set(field, value);
  return form;
}

/** Bytes that stand for a picture: nothing here looks into them. */
export const picture = Buffer.from('not looked into');

/** Waits until `check` gives something other than undefined or false. */
export async function until<T>(
  check: () => Promise<T> | T,
  deadlineMs = 5_000,
): Promise<Exclude<T, false | undefined>> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const result = await check();
    if (result !== undefined && result !== false) return result as Exclude<T, false | undefined>;
    if (performance.now() > end) throw new Error(`Not so within ${deadlineMs} ms: ${check}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export interface RawAnswer {
  status: number;
  headers: string;
  body: string;
}

/** The JSON of an answer. */
export async function bodyOf<T = PublicJob>(answer: Response | Promise<Response>): Promise<T> {
  return (await (await answer).json()) as T;
}

/** Sends bytes as they are and reads until the server closes the connection. */
export async function sendRaw(
  port: number,
  request: string | Buffer,
  onOpen?: (socket: Socket) => void,
): Promise<RawAnswer> {
  const socket = connect(port, '127.0.0.1');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.on('error', () => {});
  socket.write(request);
  onOpen?.(socket);
  await new Promise((resolve) => socket.on('close', resolve));
  const text = Buffer.concat(chunks).toString('latin1');
  const [headers = '', ...body] = text.split('\r\n\r\n');
  return { status: Number(headers.split(' ')[1] ?? 0), headers, body: body.join('\r\n\r\n') };
}

/** The error of an answer; fails unless the body has exactly the four keys. */
export async function errorOf(
  answer: Response | RawAnswer,
): Promise<Record<'code' | 'message' | 'type' | 'param', string | null>> {
  const text = answer instanceof Response ? await answer.text() : answer.body;
  const { error } = JSON.parse(text) as { error: Record<string, string | null> };
  const keys = Object.keys(error).sort().join();
  if (keys !== 'code,message,param,type') throw new Error(`Expected the four keys of an error, got ${keys}`);
  return error as Record<'code' | 'message' | 'type' | 'param', string | null>;
}
