import { describe, expect, it } from 'vitest';
import { errorCodes } from '#src/engine/errors.js';
import { errorBody, jobError, statusOf } from '#src/server/errors.js';
import { errorOf, readableLog, startServer } from './harness.js';

describe('the table of errors', () => {
  it('has an answer with all four keys for every code', () => {
    for (const code of errorCodes) {
      expect(statusOf(code)).toBeGreaterThanOrEqual(400);
      expect(errorBody(code, 'Why')).toEqual({
        error: { code: expect.any(String), message: 'Why', type: expect.any(String), param: null },
      });
    }
  });

  it('never answers 409, which SDKs repeat', () => {
    expect(errorCodes.filter((code) => statusOf(code) === 409)).toEqual([]);
  });

  it('names the failures of jobs as the public API does', () => {
    const codeOf = (code: (typeof errorCodes)[number]) => jobError({ code, message: '', details: {} }).code;
    expect(codeOf('timeout')).toBe('generation_timeout');
    for (const code of ['internal', 'crashed', 'out_of_memory', 'model_unavailable'] as const) {
      expect(codeOf(code)).toBe('generation_failed');
    }
    expect(codeOf('too_large')).toBe('too_large');
  });
});

describe('an unexpected failure', () => {
  it('is logged in full with its request id, and shown as "Internal error"', async () => {
    const { log, lines } = readableLog('info');
    const { url, engine } = await startServer({ log });
    engine.models = () => Promise.reject(new Error('cannot open /home/owner/darkroom.db'));
    const answer = await fetch(`${url}/v1/models`);
    expect([answer.status, answer.headers.get('x-should-retry')]).toEqual([500, 'false']);
    expect(await errorOf(answer)).toEqual({
      code: 'internal_error',
      message: 'Internal error',
      type: 'server_error',
      param: null,
    });
    expect(lines.find(({ msg }) => msg === 'Request failed')).toMatchObject({
      request_id: answer.headers.get('x-request-id'),
      err: { message: 'cannot open /home/owner/darkroom.db', stack: expect.stringContaining('errors.test') },
    });
  });
});
