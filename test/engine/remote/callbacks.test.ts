import { describe, expect, it } from 'vitest';
import { rememberJson } from '#src/engine/remote/callbacks.js';

describe('rememberJson', () => {
  it('fetches each document once a day, and again after a failure', async () => {
    let time = 0;
    const fetched: string[] = [];
    let isDown = true;
    const fetchJson = rememberJson(
      async (url) => {
        fetched.push(url);
        if (isDown) throw new Error('down');
        return { url };
      },
      () => time,
    );
    await expect(fetchJson('a')).rejects.toThrow('down');
    isDown = false;
    expect(await fetchJson('a')).toEqual({ url: 'a' });
    expect(await fetchJson('a')).toEqual({ url: 'a' });
    expect(await fetchJson('b')).toEqual({ url: 'b' });
    expect(fetched).toEqual(['a', 'a', 'b']);
    time = 24 * 60 * 60 * 1000;
    await fetchJson('a');
    expect(fetched).toHaveLength(4);
  });
});
