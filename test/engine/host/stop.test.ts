import { describe, expect, it } from 'vitest';
import { EngineError } from '#src/engine/errors.js';
import { stopError, stopReason } from '#src/engine/host/stop.js';

describe('stopReason', () => {
  it.each([
    ['timeout', new EngineError('timeout', 'late')],
    ['timeout', new DOMException('late', 'TimeoutError')],
    ['timeout', 'timeout'],
    ['cancelled', new EngineError('cancelled', 'no')],
    ['cancelled', new EngineError('busy', 'drained')],
    ['cancelled', undefined],
    ['cancelled', 'enough'],
  ])('is %s for %o', (expected, reason) => {
    const stop = stopReason(AbortSignal.abort(reason));
    expect(stop).toBe(expected);
    expect(stopError(stop).code).toBe(expected);
  });

  it('is timeout for a signal that timed out', async () => {
    const signal = AbortSignal.timeout(1);
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    expect(stopReason(signal)).toBe('timeout');
  });
});
