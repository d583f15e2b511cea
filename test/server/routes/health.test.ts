import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { tempFolder } from '../../helpers/temp-folder.js';
import { install, tinyUpscaler } from '../../helpers/tiny-models.js';
import { bodyOf, errorOf, pictureForm, startServer, until } from '../harness.js';

describe('GET /health', () => {
  it('says that the process is alive, and how', async () => {
    const { url } = await startServer();
    const answer = await fetch(`${url}/health`);
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({
      status: 'ok',
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      uptime_seconds: expect.any(Number),
      event_loop_lag_ms: { p99: expect.any(Number), max: expect.any(Number) },
      host: { pid: 1 },
      device: 'cpu',
      device_reason: 'no other device was found',
      workers: 2,
      threads: 1,
    });
  });

  it('does not wait for a host that starts', async () => {
    const { url, engine } = await startServer();
    engine.ready = () => new Promise(() => {});
    expect(await (await fetch(`${url}/health`)).json()).toMatchObject({ status: 'ok', host: null, device: null });
  });
});

describe('GET /ready', () => {
  it('is 200 when new work would succeed', async () => {
    const { url } = await startServer();
    const answer = await fetch(`${url}/ready`);
    expect([answer.status, await answer.json()]).toEqual([200, { ready: true, problems: [], warnings: [] }]);
  });

  it('is 200 with a warning for a pulled model that is damaged, with its name and what helps', async () => {
    const data = await tempFolder();
    const { entry, bytes } = tinyUpscaler(2);
    const damaged = bytes.map((byte, index) => (index === 300 ? byte ^ 1 : byte));
    await install({ entry, bytes: damaged }, join(data, 'models'));
    await writeFile(join(data, 'models', entry.id, 'model.json'), JSON.stringify(entry));
    const { url } = await startServer({ settings: { DARKROOM_DATA: data } });
    const answer = await until(async () => {
      const found = await bodyOf<{ ready: boolean; warnings: string[] }>(fetch(`${url}/ready`));
      return found.warnings.length > 0 && found;
    });
    expect(answer).toMatchObject({ ready: true, problems: [] });
    expect(answer.warnings).toEqual([
      expect.stringMatching(
        /^Model "tiny-upscaler-x2" can't be used: expected .* with sha256 .*; npx darkroom models add/,
      ),
    ]);
  });

  it('is 503 with the problems, in the shape of every other error too', async () => {
    const { url, engine } = await startServer({ settings: { DARKROOM_MIN_FREE_MB: '10485760' } });
    const { problems } = await engine.status();
    const answer = await fetch(`${url}/ready`);
    expect(answer.status).toBe(503);
    expect(problems).toHaveLength(1);
    expect(await answer.clone().json()).toMatchObject({ ready: false, problems });
    expect(await errorOf(answer)).toMatchObject({ code: 'not_ready', message: problems[0] });
  });

  it('is 503 from the moment the engine drains, while /health stays 200', async () => {
    const { url, engine } = await startServer();
    engine.drain();
    expect((await fetch(`${url}/ready`)).status).toBe(503);
    expect((await fetch(`${url}/health`)).status).toBe(200);
  });
});

describe('GET /metrics', () => {
  it('shows the queue as it is, for Prometheus', async () => {
    const { url } = await startServer();
    await fetch(`${url}/api/generate/background-removal`, { method: 'POST', body: pictureForm() });
    const answer = await fetch(`${url}/metrics`);
    const text = await answer.text();
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=/);
    expect(text).toContain('job_queue_depth{lane="device"} 1');
    expect(text).toContain('device_info{device="cpu"} 1');
  });

  it('stands behind the key where keys are required', async () => {
    const { url } = await startServer({ auth: 'required' });
    expect((await fetch(`${url}/metrics`)).status).toBe(401);
    expect((await fetch(`${url}/health`)).status).toBe(200);
    expect((await fetch(`${url}/ready`)).status).toBe(200);
  });
});
