import { describe, expect, it } from 'vitest';
import { Bells } from '#src/engine/remote/bells.js';

const never = new AbortController().signal;

describe('a bell', () => {
  it('wakes whoever waits for it, and nobody else', async () => {
    const bells = new Bells();
    let isOtherAwake = false;
    const other = new AbortController();
    const waiting = bells.wait('a', 60_000, never);
    const others = bells.wait('b', 60_000, other.signal).then(
      () => (isOtherAwake = true),
      () => {},
    );
    bells.ring('a');
    await waiting;
    expect(isOtherAwake).toBe(false);
    other.abort();
    await others;
  });

  it('that rang before anybody waited is heard once', async () => {
    const bells = new Bells();
    bells.ring('a');
    await bells.wait('a', 60_000, never);
    const stop = new AbortController();
    const second = bells.wait('a', 60_000, stop.signal);
    stop.abort(new Error('still waiting'));
    await expect(second).rejects.toThrow('still waiting');
  });

  it('is not needed when the time is up', async () => {
    await new Bells().wait('a', 1, never);
    await new Bells().wait(null, 0, never);
  });
});
