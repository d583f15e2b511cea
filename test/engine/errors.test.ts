import { MessageChannel } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import {
  EngineError,
  errorCodes,
  isRetryable,
  reviveError,
  serializeError,
  toEngineError,
} from '#src/engine/errors.js';

describe('EngineError', () => {
  it('keeps code, message and details across a thread boundary', async () => {
    const { port1, port2 } = new MessageChannel();
    const arrived = new Promise<ReturnType<typeof serializeError>>((resolve) => port2.once('message', resolve));
    port1.postMessage(
      serializeError(new EngineError('too_large', 'Too many pixels', { param: 'image', cause: new Error('header') })),
    );
    const revived = reviveError(await arrived);
    port1.close();
    expect(revived).toBeInstanceOf(EngineError);
    expect(revived).toMatchObject({ code: 'too_large', message: 'Too many pixels', details: { param: 'image' } });
    expect(String(revived.cause)).toContain('header');
  });

  it('turns everything unknown into internal, with the original as its cause', () => {
    const original = new TypeError('x is not a function');
    expect(toEngineError(original)).toMatchObject({ code: 'internal', message: 'Internal error', cause: original });
    expect(toEngineError('thrown text')).toMatchObject({ code: 'internal', cause: 'thrown text' });
  });

  it('passes one of ours through unchanged', () => {
    const error = new EngineError('busy', 'The queue is full', { retryAfterSeconds: 3 });
    expect(toEngineError(error)).toBe(error);
    expect(serializeError(error)).toEqual({
      code: 'busy',
      message: 'The queue is full',
      details: { retryAfterSeconds: 3 },
    });
  });

  it('knows of every code whether another attempt can help', () => {
    for (const code of errorCodes) expect(typeof isRetryable(code)).toBe('boolean');
    expect(isRetryable('crashed')).toBe(true);
    expect(isRetryable('invalid_input')).toBe(false);
  });
});
