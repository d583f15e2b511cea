import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { EngineError } from '#src/engine/errors.js';
import { newControl, readStop, replyWith, setStop, threadDeath, unwrap } from '#src/engine/host/worker-protocol.js';

/** What arrives at the other end of a channel between threads. */
function posted<Value>(value: Value): Value {
  const { port1, port2 } = new MessageChannel();
  port1.postMessage(value);
  return receiveMessageOnPort(port2)?.message;
}

describe('a reply between threads', () => {
  it('brings a value over', async () => {
    expect(unwrap(posted(await replyWith(async () => ({ a: [1] }))))).toEqual({ a: [1] });
  });

  it('brings an error over with code, message, details and cause', async () => {
    const cause = new Error('disk is gone');
    const error = new EngineError('busy', 'Try later', { param: 'image', retryAfterSeconds: 3, cause });
    const reply = posted(await replyWith(() => Promise.reject(error)));
    const revived = await replyWith(async () => unwrap(reply));
    expect(revived).toEqual(reply);
    expect(() => unwrap(reply)).toThrow(EngineError);
    expect(reply).toMatchObject({ error: { code: 'busy', message: 'Try later', details: error.details } });
    expect(reply).toMatchObject({ error: { cause: expect.stringContaining('disk is gone') } });
  });

  it('tells nothing of an unexpected error but to the operator', async () => {
    const reply = await replyWith(async () => JSON.parse('{'));
    expect(reply).toMatchObject({ error: { code: 'internal', message: 'Internal error' } });
  });
});

describe('a stop flag', () => {
  it('says why to stop, and can be withdrawn', () => {
    const control = newControl();
    const read = (reason: Parameters<typeof setStop>[1]) => {
      setStop(control, reason);
      return readStop(posted(control));
    };
    expect([readStop(control), read('timeout'), read('cancelled'), read(null)]).toEqual([
      null,
      'timeout',
      'cancelled',
      null,
    ]);
  });
});

describe('threadDeath', () => {
  it('tells want of memory from other ends', () => {
    const memory = Object.assign(new Error('heap'), { code: 'ERR_WORKER_OUT_OF_MEMORY' });
    expect([threadDeath(memory).code, threadDeath(new Error('x')).code]).toEqual(['out_of_memory', 'crashed']);
  });
});
