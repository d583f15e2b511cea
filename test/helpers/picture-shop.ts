import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface PictureShop {
  /** `http://127.0.0.1:<port>` */
  url: string;
  /** As an entry of DARKROOM_ALLOW_HOSTS. */
  host: string;
}

/** A server that has this picture at every address but those that hold the word `missing`; `slow` ones never answer. */
export async function startPictureShop(picture: Buffer): Promise<PictureShop> {
  const server = createServer((request, response) => {
    if (request.url?.includes('slow')) return;
    if (request.url?.includes('missing')) response.writeHead(404).end();
    else response.end(picture);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url: `http://${host}`, host };
}
