import { describe, expect, it } from 'vitest';
import { bodyOf, picture, pictureForm, startServer } from '../harness.js';

describe('/api/remove', () => {
  it('takes the fields of rembg and answers with the picture', async () => {
    const test = await startServer();
    const fields = {
      a: 'true',
      af: '250',
      ab: '5',
      ae: '7',
      om: 'false',
      ppm: 'true',
      bgc: '255,0,10,255',
      extras: '{}',
    };
    const body = pictureForm({ ...fields, model: 'cutout' }, 'file');
    const finish = test.engine.begin().then((run) => run.finish(picture).then(() => run.job.id));
    const [answer, id] = await Promise.all([fetch(`${test.url}/api/remove`, { method: 'POST', body }), finish]);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'image/png']);
    expect(await answer.text()).toBe(picture.toString());
    const { params, warnings } = await test.engine.get(id);
    expect(warnings).toEqual([]);
    expect(params).toMatchObject({
      alpha_matting: true,
      alpha_matting_foreground_threshold: 250,
      alpha_matting_background_threshold: 5,
      alpha_matting_erode_size: 7,
      only_mask: false,
      post_process_mask: true,
      bg_color: 'rgba(255, 0, 10, 1)',
      model: 'cutout',
    });
  });

  it('takes an address in the query of a GET', async () => {
    const test = await startServer();
    const pixel = `data:image/png;base64,${picture.toString('base64')}`;
    const finish = test.engine.begin().then((run) => run.finish(picture));
    const asked = fetch(`${test.url}/api/remove?url=${encodeURIComponent(pixel)}&om=1`);
    const [answer] = await Promise.all([asked, finish]);
    expect(await answer.text()).toBe(picture.toString());
  });

  it.each([
    ['', '`image`'],
    ['?url=ftp://a/b', 'https address'],
    ['?url=data:image/png;base64,AAAA&af=300', '0 to 255'],
    ['?url=data:image/png;base64,AAAA&bgc=300,x', 'a colour'],
  ])('refuses %j in the shape of FastAPI', async (query, word) => {
    const test = await startServer();
    const answer = await fetch(`${test.url}/api/remove${query}`);
    expect(answer.status).toBe(400);
    expect(await bodyOf(answer)).toEqual({ detail: expect.stringContaining(word) });
  });

  it('takes nothing that a page of another site has a browser fetch', async () => {
    const test = await startServer();
    const headers = { 'Sec-Fetch-Site': 'cross-site' };
    expect((await fetch(`${test.url}/api/remove?url=https://example.com/a.png`, { headers })).status).toBe(403);
  });
});
