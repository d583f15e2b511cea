import { readFile } from 'node:fs/promises';
import OpenAI, { toFile } from 'openai';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { photo, startProgram } from './helpers/program.js';

let url: string;
let client: OpenAI;

beforeAll(async () => {
  url = await startProgram();
  client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none', maxRetries: 0 });
});

/** White where the logo of the cap is. */
async function mask() {
  const { width = 0, height = 0 } = await sharp(photo).metadata();
  const dot = `<svg width="${width}" height="${height}"><circle cx="200" cy="290" r="30" fill="white"/></svg>`;
  const data = await sharp({ create: { width, height, channels: 3, background: 'black' } })
    .composite([{ input: Buffer.from(dot) }])
    .png()
    .toBuffer();
  return toFile(data, 'mask.png', { type: 'image/png' });
}

const image = async () => toFile(await readFile(photo), 'photo.jpg', { type: 'image/jpeg' });

describe('the client of OpenAI, pointed here', () => {
  it('erases what a mask marks', async () => {
    const { data } = await client.images.edit({
      image: await image(),
      mask: await mask(),
      prompt: 'remove the logo',
      response_format: 'b64_json',
      n: 1,
      size: 'auto' as '1024x1024',
      quality: 'high',
      user: 'somebody',
    });
    const result = await sharp(Buffer.from(data?.[0]?.b64_json ?? '', 'base64'))
      .raw()
      .toBuffer();
    const before = await sharp(photo).raw().toBuffer();
    const at = (buffer: Buffer, x: number, y: number) => [...buffer.subarray(3 * (y * 400 + x), 3 * (y * 400 + x) + 3)];
    expect(at(result, 20, 20)).toEqual(at(before, 20, 20));
    expect(result.equals(before)).toBe(false);
  });

  it('gets the events of a stream', async () => {
    const stream = await client.images.edit({
      image: await image(),
      prompt: 'clean white studio background + soft shadow',
      stream: true,
      partial_images: 2,
    });
    const events = [];
    for await (const event of stream) events.push(event);
    expect(events.map(({ type }) => type)).toEqual(['image_edit.completed']);
    const picture = sharp(Buffer.from(events[0]?.b64_json ?? '', 'base64'));
    expect(await picture.metadata()).toMatchObject({ width: 400, height: 534, format: 'png' });
    const { channels } = await picture.stats();
    // White paper all around a cap that is dark blue and red.
    expect(Math.max(...channels.slice(0, 3).map(({ max }) => max))).toBeGreaterThan(240);
  });

  it('edits the first of several pictures, and says so', async () => {
    const answer = await client.images.edit({
      image: [await image(), await image()],
      prompt: 'transparent background',
    });
    const { warnings } = answer as unknown as { warnings: string[] };
    expect(warnings).toEqual(['Only the first picture was edited; 1 more came, which need a model that reads prompts']);
    const bytes = await (await fetch(answer.data?.[0]?.url ?? '')).arrayBuffer();
    expect(await sharp(Buffer.from(bytes)).metadata()).toMatchObject({ format: 'png', hasAlpha: true });
  });

  it('is told in an error of the stream what became of it', async () => {
    const long = sharp({ create: { width: 9000, height: 16, channels: 3, background: 'white' } }).png();
    const further = { outpaint_direction: 'right', outpaint_amount: 100 };
    const stream = await client.images.edit({
      image: await toFile(await long.toBuffer(), 'long.png'),
      prompt: 'x',
      stream: true,
      ...further,
    });
    const reading = (async () => {
      for await (const _ of stream);
    })();
    await expect(reading).rejects.toThrow(/at most 16384 pixels a side, it would be 18000/);
  });

  it.each([false, true])('gets a 400 for a mask of another size, streamed or not (%s)', async (stream) => {
    const wrong = sharp({ create: { width: 9, height: 9, channels: 3, background: 'white' } }).png();
    const marks = await toFile(await wrong.toBuffer(), 'mask.png');
    const attempt = client.images.edit({ image: await image(), mask: marks, prompt: 'x', stream });
    await expect(attempt).rejects.toMatchObject({
      status: 400,
      param: 'mask',
      message: expect.stringContaining('400 × 534, got 9 × 9'),
    });
  });
});

it('tells who did it', async () => {
  const form = new FormData();
  form.append('image', new Blob([await readFile(photo)]), 'photo.jpg');
  form.append('prompt', 'warmer');
  const answer = await fetch(`${url}/v1/images/edits`, { method: 'POST', body: form });
  expect(answer.status).toBe(200);
  expect(answer.headers.get('x-model-actual')).toBe('local-edit');
  expect(answer.headers.get('x-failover-used')).toBe('false');
});
