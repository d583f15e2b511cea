import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { until } from './until.js';

/** One webhook as it came. */
export interface ReceivedLetter {
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
  at: number;
}

export interface Receiver {
  /** Of this receiver, on a loopback address. */
  url: string;
  /** As an entry of DARKROOM_ALLOW_HOSTS. */
  host: string;
  letters: ReceivedLetter[];
  /** Resolves when so many letters have come. */
  got(count: number, deadlineMs?: number): Promise<ReceivedLetter[]>;
}

type Reply = number | ((response: ServerResponse, letter: ReceivedLetter) => void);

/** A real HTTP server that keeps what it gets; its answers are statuses, or functions that answer (or never do). */
export async function startReceiver(...replies: Reply[]): Promise<Receiver> {
  const letters: ReceivedLetter[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const letter = { path: request.url ?? '', headers: request.headers, body, at: performance.now() };
    const reply = replies[Math.min(letters.length, replies.length - 1)] ?? 200;
    letters.push(letter);
    if (typeof reply === 'function') reply(response, letter);
    else response.writeHead(reply).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/hook`,
    host: `127.0.0.1:${port}`,
    letters,
    async got(count, deadlineMs) {
      await until(() => letters.length >= count, `${count} letters, of which ${letters.length} came`, deadlineMs);
      return letters;
    },
  };
}
