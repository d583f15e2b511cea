import { describe, expect, it } from 'vitest';
import { EngineError } from '#src/engine/errors.js';
import { createLog } from '#src/server/log.js';

describe('createLog', () => {
  it.each(['err', 'error', 'cause'])('writes an error under `%s` with its code, stack and cause', (name) => {
    const lines: string[] = [];
    const log = createLog('info', { write: (line) => void lines.push(line) });
    log.error({ [name]: new EngineError('crashed', 'The host died', { cause: new Error('signal 9') }) }, 'Oh');
    log.debug({}, 'not written at this level');
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      msg: 'Oh',
      [name]: {
        code: 'crashed',
        message: expect.stringContaining('signal 9'),
        stack: expect.stringContaining('log.test'),
      },
    });
  });
});
