import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openSeal } from '#src/engine/webhooks/seal.js';
import { describe, expect, it } from 'vitest';
import { tempFolder } from '../../helpers/temp-folder.js';

async function keyFile(): Promise<string> {
  return join(await tempFolder(), 'seal.key');
}

describe('openSeal', () => {
  it('gives secrets back, also after a restart', async () => {
    const path = await keyFile();
    const sealed = (await openSeal(path)).seal('dk_ключ');
    expect((await openSeal(path)).open(sealed)).toBe('dk_ключ');
  });

  it('hides them, and the same one differently each time', async () => {
    const seal = await openSeal(await keyFile());
    const sealed = [seal.seal('dk_secret'), seal.seal('dk_secret')];
    expect(new Set(sealed).size).toBe(2);
    for (const text of sealed) expect(Buffer.from(text, 'base64url').includes('secret')).toBe(false);
  });

  it('keeps its key to this user', async () => {
    const path = await keyFile();
    await openSeal(path);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await readFile(path)).length).toBe(32);
  });

  it('says so when it is given what another key has sealed, or what was changed', async () => {
    const other = await openSeal(await keyFile());
    const path = await keyFile();
    const seal = await openSeal(path);
    const message = 'The signing secret cannot be opened: seal.key is not what it was';
    const refusal = { code: 'internal', message };
    expect(() => seal.open(other.seal('dk_secret'))).toThrow(expect.objectContaining(refusal));
    const [first, ...rest] = seal.seal('dk_secret');
    const changed = [first === 'A' ? 'B' : 'A', ...rest].join('');
    expect(() => seal.open(changed)).toThrow();
    expect(() => seal.open('')).toThrow(expect.objectContaining(refusal));
  });

  it('refuses a damaged key file rather than sealing with it', async () => {
    const path = await keyFile();
    await writeFile(path, 'short');
    await expect(openSeal(path)).rejects.toMatchObject({ code: 'internal', message: expect.stringContaining('got 5') });
  });
});
