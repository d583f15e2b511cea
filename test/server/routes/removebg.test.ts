import { describe, expect, it } from 'vitest';
import { bodyOf, picture, pictureForm, startServer, type TestServer } from '../harness.js';

interface Refusal {
  errors: { title: string; code: string }[];
}

const path = '/v1.0/removebg';

const post = ({ url }: TestServer, init: RequestInit) => fetch(url + path, { method: 'POST', ...init });

/** Ends the next job with a picture in which the foreground lies at 2, 1. */
async function finishNext({ engine }: TestServer) {
  const run = await engine.begin();
  await run.finish(picture, 'png', { foreground: { left: 2, top: 1, width: 30, height: 40 } });
  return run;
}

describe('POST /v1.0/removebg', () => {
  it('answers with the picture and the headers of remove.bg', async () => {
    const test = await startServer();
    const [answer] = await Promise.all([post(test, { body: pictureForm({}, 'image_file') }), finishNext(test)]);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('image/png');
    expect(await answer.text()).toBe(picture.toString());
    const headers = ['X-Type', 'X-Width', 'X-Height', 'X-Credits-Charged', 'X-Foreground-Left', 'X-Foreground-Top'];
    expect(headers.map((name) => answer.headers.get(name))).toEqual(['other', '8', '6', '0', '2', '1']);
  });

  it('answers with base64 in `data` for Accept: application/json', async () => {
    const test = await startServer();
    const headers = { Accept: 'application/json', 'Content-Type': 'application/json' };
    const body = JSON.stringify({ image_file_b64: picture.toString('base64'), size: 'auto' });
    const [answer] = await Promise.all([post(test, { headers, body }), finishNext(test)]);
    expect(await bodyOf(answer)).toEqual({
      data: {
        result_b64: picture.toString('base64'),
        foreground_top: 1,
        foreground_left: 2,
        foreground_width: 30,
        foreground_height: 40,
      },
    });
  });

  it.each([
    [{}, { size: 'preview', format: 'png' }],
    [
      { size: 'auto', format: '' },
      { size: 'auto', format: 'png' },
    ],
    [{ bg_color: '81d4fa' }, { bg_color: '81d4fa', format: 'jpg' }],
    [{ bg_color: 'fff', format: 'png' }, { format: 'png' }],
    [{ add_shadow: 'true' }, { shadow: 'soft' }],
    [
      { shadow_type: 'drop', shadow_opacity: '30' },
      { shadow: 'drop', shadow_opacity: 30 },
    ],
    [
      { crop: 'true', crop_margin: '10%', position: 'center', scale: '80%' },
      { crop: true, crop_margin: '10%' },
    ],
    [{ channels: 'alpha', roi: '0% 0% 50% 50%', type: 'product', type_level: '2', semitransparency: 'true' }, {}],
  ])('takes %j', async (fields, params) => {
    const test = await startServer();
    const [answer, run] = await Promise.all([post(test, { body: pictureForm(fields) }), finishNext(test)]);
    expect(answer.status).toBe(200);
    const job = await test.engine.get(run.job.id);
    expect(job.params).toMatchObject(params);
    expect(job.warnings).toEqual([]);
  });

  it('takes an urlencoded address', async () => {
    const test = await startServer();
    const answer = await post(test, { body: new URLSearchParams({ image_url: 'ftp://example.com/a.png' }) });
    expect(answer.status).toBe(400);
    expect((await bodyOf<Refusal>(answer)).errors[0]?.title).toContain('https address');
  });

  it('refuses in the shape of remove.bg', async () => {
    const test = await startServer();
    for (const [fields, word] of [
      [{ type: 'spoon' }, '`type`'],
      [{ size: 'huge' }, '`size`'],
      [{ shadow_type: 'pink' }, '`shadow`'],
    ] as const) {
      const answer = await post(test, { body: pictureForm(fields) });
      const { errors } = await bodyOf<Refusal>(answer);
      expect([answer.status, errors.length]).toEqual([400, 1]);
      expect(errors[0]).toMatchObject({ title: expect.stringContaining(word), code: 'invalid_request_error' });
    }
  });

  it('takes the key in X-Api-Key, and refuses another one', async () => {
    const test = await startServer({ auth: 'required' });
    const { secret } = await test.engine.keys.create('shop');
    const ask = (key: string) => post(test, { body: pictureForm(), headers: { 'X-Api-Key': key } });
    expect((await ask('wrong')).status).toBe(401);
    const [answer] = await Promise.all([ask(secret), finishNext(test)]);
    expect(answer.status).toBe(200);
  });
});
