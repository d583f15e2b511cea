import { openAsBlob } from 'node:fs';
import OpenAI, { toFile } from 'openai';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { photo, startProgram } from './helpers/program.js';
import { until } from './helpers/until.js';

let url: string;

beforeAll(async () => {
  url = await startProgram();
});

describe('a photograph', () => {
  it('goes in by HTTP and comes out as a transparent PNG of the same size', async () => {
    const accepted = await post('/api/generate/background-removal', await form());
    expect(accepted.status).toBe(202);
    const { id, status } = (await accepted.json()) as Status;
    expect(status).toBe('PENDING');
    const done = await completed(id);
    const cutout = sharp(await download(done.output_url));
    const { width, height, format, hasAlpha } = await cutout.metadata();
    expect({ width, height, format, hasAlpha }).toEqual({ ...(await sizeOf(photo)), format: 'png', hasAlpha: true });
    const alpha = await cutout.clone().extractChannel(3).raw().toBuffer();
    const at = (x: number, y: number) => alpha[y * width + x] ?? Number.NaN;
    expect([at(3, 3), at(width - 4, 3), at(3, height - 4), at(width - 4, height - 4)]).toEqual([0, 0, 0, 0]);
    expect([at(200, 200), at(200, 300), at(160, 250)]).toEqual([255, 255, 255]);
  });

  it('is enlarged two and four times', async () => {
    const small = await sharp(photo).resize({ width: 97 }).jpeg().toBuffer();
    const { width, height } = await sizeOf(small);
    for (const scale of [2, 4]) {
      const accepted = await post('/api/generate/super-resolution', formOf(small, { scale: String(scale) }));
      const done = await completed(((await accepted.json()) as Status).id);
      const large = await sharp(await download(done.output_url)).metadata();
      expect([large.width, large.height]).toEqual([width * scale, height * scale]);
    }
  });

  it('comes back at once from the synchronous twins: as URL, as base64, as bytes', async () => {
    const asUrl = (await (await post('/v1/images/background-removal', await form())).json()) as Images;
    expect(asUrl.data[0]?.url).toMatch(/^http.*\/output\/.*\.png$/);
    const small = await sharp(photo).resize({ width: 64 }).jpeg().toBuffer();
    const asText = (await (
      await post('/v1/images/upscale', formOf(small, { response_format: 'b64_json' }))
    ).json()) as Images;
    expect((await sharp(Buffer.from(asText.data[0]?.b64_json ?? '', 'base64')).metadata()).format).toBe('png');
    const asBytes = await post('/v1/images/background-removal', await form(), { Accept: 'image/*' });
    expect(asBytes.headers.get('content-type')).toBe('image/png');
    expect(asBytes.headers.get('x-model-actual')).toBe('cutout');
    expect((await sharp(await asBytes.arrayBuffer()).metadata()).hasAlpha).toBe(true);
  });

  it('may come from one of our own outputs, or as a data URI', async () => {
    const small = await sharp(photo).resize({ width: 64 }).jpeg().toBuffer();
    const first = (await (await post('/v1/images/background-removal', formOf(small))).json()) as Images;
    const data = `data:image/jpeg;base64,${small.toString('base64')}`;
    for (const image_url of [first.data[0]?.url, data]) {
      const answer = await post('/v1/images/upscale', JSON.stringify({ image_url }), {
        'Content-Type': 'application/json',
      });
      expect(answer.status).toBe(200);
    }
  });

  it('is refused with the field, what came and what to do when it is none', async () => {
    const body = new FormData();
    body.append('image', new Blob(['<svg xmlns="http://www.w3.org/2000/svg"/>']), 'photo.jpg');
    const answer = await post('/api/generate/background-removal', body);
    expect(answer.status).toBe(415);
    expect(await answer.json()).toMatchObject({ error: { type: 'invalid_request_error', param: 'image' } });
    const truncated = new FormData();
    truncated.append('image', (await openAsBlob(photo)).slice(0, 9_000), 'photo.jpg');
    const second = await post('/api/generate/background-removal', truncated);
    expect(second.status).toBe(400);
    expect(await second.json()).toMatchObject({ error: { param: 'image' } });
  });

  it('is refused at once with a trimap of another size', async () => {
    const trimap = await sharp(photo).resize(50, 40, { fit: 'fill' }).png().toBuffer();
    const body = await form();
    body.append('trimap', new Blob([new Uint8Array(trimap)]), 'trimap.png');
    const answer = await post('/api/generate/background-removal', body);
    expect(answer.status).toBe(400);
    const message = 'Expected `trimap` to be as large as the picture, 400 × 534, got 50 × 40';
    expect(await answer.json()).toMatchObject({ error: { param: 'trimap', message } });
    // In a batch it is the fault of its item alone.
    const image = (await sharp(photo).jpeg().toBuffer()).toString('base64');
    const images = [image, { image, trimap: trimap.toString('base64') }];
    const headers = { 'content-type': 'application/json' };
    const batch = await post('/api/generate/background-removal/batch', JSON.stringify({ images }), headers);
    expect(batch.status).toBe(202);
    const { jobs } = (await batch.json()) as Batch;
    expect(jobs[0]?.status).toBe('PENDING');
    expect(jobs[1]).toMatchObject({ status: 'FAILED', error_message: message });
  });

  it('finds its job again under the same idempotency key', async () => {
    const headers = { 'Idempotency-Key': 'the-same-photo' };
    const first = await post('/api/generate/background-removal', await form(), headers);
    const again = await post('/api/generate/background-removal', await form(), headers);
    expect(await again.json()).toEqual(await first.json());
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    const other = await post('/api/generate/background-removal', await form({ only_mask: 'true' }), headers);
    expect(other.status).toBe(400);
    expect(await other.json()).toMatchObject({ error: { code: 'idempotency_key_reuse' } });
  });
});

describe('many photographs', () => {
  it('are cut out in one batch, of which one that is none fails alone', async () => {
    const small = await sharp(photo).resize({ width: 96 }).jpeg().toBuffer();
    const body = formOf(small);
    body.append('image', new Blob(['<svg xmlns="http://www.w3.org/2000/svg"/>']), 'drawing.svg');
    body.append('image', new Blob([new Uint8Array(small)]), 'again.jpg');
    const accepted = await post('/api/generate/background-removal/batch', body);
    expect(accepted.status).toBe(202);
    const { batch_id } = (await accepted.json()) as { batch_id: string };
    const batch = await until(async () => {
      const answer = await fetch(`${url}/api/generate/background-removal/batch/${batch_id}`);
      const now = (await answer.json()) as Batch;
      return now.completed + now.failed === 3 ? now : null;
    }, `${batch_id} ended`);
    expect(batch.jobs.map(({ image_name, status }) => [image_name, status])).toEqual([
      ['small.jpg', 'COMPLETED'],
      ['drawing.svg', 'FAILED'],
      ['again.jpg', 'COMPLETED'],
    ]);
    expect((await sharp(await download(batch.jobs[2]?.output_url ?? '')).metadata()).hasAlpha).toBe(true);
  });
});

describe('a clip', () => {
  it('is made of a photograph for a client that was written for OpenAI', { timeout: 90_000 }, async () => {
    const client = new OpenAI({ apiKey: 'none', baseURL: `${url}/v1` });
    const { id } = await client.videos.create({
      model: 'sora-2',
      prompt: 'The camera slowly pushes in',
      seconds: '4',
      size: '480x480' as '720x1280',
      input_reference: await toFile(await openAsBlob(photo), 'photo.jpg'),
    });
    const video = await until(
      async () => {
        const now = await client.videos.retrieve(id);
        expect(now.error).toBeNull();
        return now.status === 'completed' ? now : null;
      },
      `${id} completed`,
      80_000,
    );
    expect(video).toMatchObject({ size: '480x480', seconds: '4', model_actual: 'local-motion-i2v' });
    const clip = Buffer.from(await (await client.videos.downloadContent(id)).arrayBuffer());
    expect(clip.toString('latin1', 4, 8)).toBe('ftyp');
    const native = (await (await fetch(`${url}/v1/video/generations/${id}`)).json()) as Status;
    expect(await download(native.output_url)).toEqual(clip);
  });
});

interface Batch {
  completed: number;
  failed: number;
  jobs: { status: string; image_name?: string; output_url: string | null }[];
}

interface Status {
  id: string;
  status: string;
  output_url: string;
}

interface Images {
  data: { url?: string; b64_json?: string }[];
}

async function form(fields: Record<string, string> = {}): Promise<FormData> {
  const body = new FormData();
  body.append('image', await openAsBlob(photo), 'photo.jpg');
  for (const [name, value] of Object.entries(fields)) body.append(name, value);
  return body;
}

function formOf(picture: Buffer, fields: Record<string, string> = {}): FormData {
  const body = new FormData();
  body.append('image', new Blob([new Uint8Array(picture)]), 'small.jpg');
  for (const [name, value] of Object.entries(fields)) body.append(name, value);
  return body;
}

function post(path: string, body: FormData | string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(url + path, { method: 'POST', body, headers });
}

function completed(id: string): Promise<Status> {
  return until(async () => {
    const job = (await (await fetch(`${url}/api/generate/status/${id}`)).json()) as Status;
    if (job.status === 'FAILED') throw new Error(JSON.stringify(job));
    return job.status === 'COMPLETED' ? job : null;
  }, `${id} completed`);
}

async function download(from: string): Promise<Buffer> {
  return Buffer.from(await (await fetch(from)).arrayBuffer());
}

async function sizeOf(path: string | Buffer): Promise<{ width: number; height: number }> {
  const { width, height } = await sharp(path).metadata();
  return { width, height };
}
