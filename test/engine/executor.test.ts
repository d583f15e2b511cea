import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { hasEnded } from '#src/engine/jobs/job-store.js';
import { pixel, routedEngine } from './routing/routed-engine.js';

const picture = Buffer.from(pixel.slice(pixel.indexOf(',') + 1), 'base64');

/** An engine over Kling, and a host of pictures that answers so. */
async function start(answer: RequestListener) {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const env = { DARKROOM_ALLOW_HOSTS: host, DARKROOM_PATIENCE_SECONDS: '1', DARKROOM_DOWNLOAD_SECONDS: '2' };
  const routed = await routedEngine({ services: ['kling'], env });
  const submit = async (url: string) => {
    const params = { prompt: 'A ring turns', failover: false };
    const inputs = [{ field: 'image', url }];
    return (await routed.engine.submit({ operation: 'video-generation', owner: 'local', params, inputs })).job;
  };
  const end = async (id: string) => {
    for await (const now of routed.engine.watch(id)) if (hasEnded(now)) return now;
    throw new Error(`${id} has not ended`);
  };
  return { ...routed, submit, end, url: `http://${host}/ring.png` };
}

describe('a picture whose host is slow', () => {
  it('does not hold up the answer: the job fetches it', async () => {
    let asked = 0;
    const { submit, end, fakes, url } = await start((_, response) => {
      asked += 1;
      if (asked > 1) response.end(picture);
    });
    const job = await submit(url);
    expect(job.inputs).toEqual([{ field: 'image', blob: null, bytes: 0, contentType: '', url }]);
    expect(await end(job.id)).toMatchObject({ state: 'completed' });
    expect(fakes.kling?.submissions[0]?.json).toMatchObject({
      image_list: [{ image_url: picture.toString('base64'), type: 'first_frame' }],
    });
  });

  it('fails the job if it never comes, and says so', async () => {
    const { submit, end, fakes, url } = await start(() => {});
    const { id } = await submit(url);
    const { state, errors } = await end(id);
    expect([state, errors.at(-1)]).toMatchObject([
      'failed',
      { code: 'invalid_input', message: expect.stringMatching(/^image_url: /) },
    ]);
    expect(fakes.kling?.submissions).toHaveLength(0);
  });
});

it.each([
  ['http://169.254.169.254/latest/meta-data', 'refuses'],
  ['ftp://example.com/ring.png', 'https'],
])('a picture at %s is refused at once', async (address) => {
  const { submit } = await start(() => {});
  await expect(submit(address)).rejects.toMatchObject({ code: 'invalid_input', details: { param: 'image_url' } });
});

it('a picture that is not there is refused at once where its host is quick', async () => {
  const { submit, url } = await start((_, response) => void response.writeHead(404).end());
  await expect(submit(url)).rejects.toMatchObject({ code: 'invalid_input', details: { param: 'image_url' } });
});
