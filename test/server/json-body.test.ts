import { Readable } from 'node:stream';
import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { EngineError } from '#src/engine/errors.js';
import { readJson } from '#src/server/json-body.js';
import { createByteBudget } from '#src/server/limits.js';

const roomy = () => ({ maxBytes: 100_000_000, budget: createByteBudget(200_000_000) });

/** A request with this body, in chunks of 64 KB as they come from a socket. */
function request(body: Buffer | string): IncomingMessage {
  const bytes = Buffer.from(body);
  const chunks = Array.from({ length: Math.ceil(bytes.length / 65_536) }, (_, n) =>
    bytes.subarray(n * 65_536, (n + 1) * 65_536),
  );
  return Object.assign(Readable.from(chunks), { complete: true }) as unknown as IncomingMessage;
}

const refusal = (body: Buffer | string) =>
  readJson(request(body), roomy()).catch((error: EngineError) => error.message);

describe('readJson', () => {
  it('gives the object, with a byte order mark or without', async () => {
    expect(await readJson(request('{"a":1}'), roomy())).toEqual({ a: 1 });
    expect(await readJson(request('\uFEFF{"ä":"ö"}'), roomy())).toEqual({ ä: 'ö' });
  });

  it('does not count what is inside of strings', async () => {
    const text = '[{,"\\'.repeat(20_000);
    expect(
      await readJson(request(JSON.stringify({ a: 'x'.repeat(1_000_000), b: text.replaceAll('"', '') })), roomy()),
    ).toHaveProperty('b');
  });

  it.each([
    ['objects', `{"a":[${'{},'.repeat(2_000_000)}{}]}`],
    ['numbers', `{"a":[${'0,'.repeat(2_000_000)}0]}`],
    ['nesting', '['.repeat(5_000_000)],
    ['keys', `{${'"a":0,'.repeat(1_000_000)}"b":0}`],
    ['escaped quotes', `{"a":"${'\\"'.repeat(2_000_000)}"}`],
  ])('refuses a bomb of %s before it is parsed', async (_name, bomb) => {
    const before = process.memoryUsage().heapUsed;
    expect(await refusal(bomb)).toContain('Expected a flat JSON object, got more than 10000 elements');
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(50_000_000);
  });

  it('gives up an endless string as JSON that is wrong', async () => {
    expect(await refusal(`{"a":"${'x'.repeat(100_000)}`)).toContain('Unterminated string');
  });

  it('stops reading at the limit', async () => {
    const limits = { ...roomy(), maxBytes: 100_000 };
    await expect(readJson(request('x'.repeat(10_000_000)), limits)).rejects.toMatchObject({ code: 'too_large' });
  });

  it('holds no more than its budget, and gives back what it held', async () => {
    const budget = createByteBudget(100_000);
    const limits = { maxBytes: 1_000_000, budget };
    const large = JSON.stringify({ a: 'x'.repeat(200_000) });
    const small = JSON.stringify({ a: 'x'.repeat(90_000) });
    await expect(readJson(request(large), limits)).rejects.toMatchObject({
      code: 'busy',
      details: { retryAfterSeconds: 2 },
    });
    for (let times = 0; times < 3; times++) expect(await readJson(request(small), limits)).toHaveProperty('a');
  });

  it('knows a body that broke off from one that ended', async () => {
    const broken = Object.assign(request('{"a":1}'), { complete: false });
    await expect(readJson(broken, roomy())).rejects.toMatchObject({ code: 'cancelled' });
  });
});
