import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { open, readFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { syncFolder } from '../blobs/durable-files.js';
import { EngineError } from '../errors.js';

/**
 * Hides secrets that have to be had again: API keys are kept as digests only, yet what a caller verifies our webhooks
 * with is its key. A copy of the database alone does not give them away.
 */
export interface Seal {
  seal(secret: string): string;
  /** Errors: `internal` for what another key has sealed. */
  open(sealed: string): string;
}

const cipher = 'aes-256-gcm';
const keyBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;

/** The seal whose key lies in this file, private to this user; made at first use. Errors: `internal` for a damaged file. */
export async function openSeal(path: string): Promise<Seal> {
  const key = (await readKey(path)) ?? (await makeKey(path));
  if (key.length !== keyBytes) {
    throw new EngineError('internal', `Expected ${path} to hold ${keyBytes} bytes, got ${key.length}: restore it`);
  }
  return {
    seal(secret) {
      const nonce = randomBytes(nonceBytes);
      const sealing = createCipheriv(cipher, key, nonce);
      const text = Buffer.concat([sealing.update(secret, 'utf8'), sealing.final()]);
      return Buffer.concat([nonce, sealing.getAuthTag(), text]).toString('base64url');
    },
    open(sealed) {
      try {
        return unseal(key, Buffer.from(sealed, 'base64url'));
      } catch (cause) {
        // Shown to the caller in the log of deliveries, so without the path.
        throw new EngineError('internal', `The signing secret cannot be opened: ${basename(path)} is not what it was`, {
          cause,
        });
      }
    },
  };
}

function unseal(key: Buffer, sealed: Buffer): string {
  const opening = createDecipheriv(cipher, key, sealed.subarray(0, nonceBytes), { authTagLength: tagBytes });
  opening.setAuthTag(sealed.subarray(nonceBytes, nonceBytes + tagBytes));
  return opening.update(sealed.subarray(nonceBytes + tagBytes), undefined, 'utf8') + opening.final('utf8');
}

async function readKey(path: string): Promise<Buffer | null> {
  try {
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** On the disk before anything is sealed with it. */
async function makeKey(path: string): Promise<Buffer> {
  const key = randomBytes(keyBytes);
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(key);
    await file.sync();
  } finally {
    await file.close();
  }
  await syncFolder(dirname(path));
  return key;
}
