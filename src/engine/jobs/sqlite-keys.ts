import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Db } from './db.js';
import type { GroupCommit } from './group-commit.js';
import type { ApiKey, KeyStore } from './key-store.js';

/** `dk_` and eight characters: enough to find the row by, and 208 of the 256 random bits stay unknown. */
const publicPrefixLength = 'dk_'.length + 8;

type KeyRow = { id: string; label: string; digest: Buffer; created_at: number };

/** 256 random bits as text. */
export function randomToken(): string {
  return randomBytes(32).toString('base64url');
}

/** The KeyStore in the database of the jobs. A key is found by its public prefix, which is also its id. */
export function sqliteKeys(
  { db, now }: { db: Db; now: () => number },
  commit: GroupCommit,
  newToken: () => string,
): KeyStore {
  return {
    async create(label) {
      const secret = `dk_${newToken()}`;
      const key = { id: publicPrefix(secret), label, createdAt: now() };
      await commit.write(() => addKey(db, key, secret));
      return { ...key, secret };
    },

    async verify(secret) {
      const row = db.get<KeyRow>('SELECT * FROM api_keys WHERE id = @id', { id: publicPrefix(secret) });
      return row && timingSafeEqual(row.digest, digest(secret)) ? toKey(row) : null;
    },

    async count() {
      return db.get<{ keys: number }>('SELECT count(*) AS keys FROM api_keys')?.keys ?? 0;
    },
  };
}

function addKey(db: Db, key: ApiKey, secret: string): void {
  db.run('INSERT INTO api_keys (id, label, digest, created_at) VALUES (@id, @label, @digest, @at)', {
    id: key.id,
    label: key.label,
    digest: digest(secret),
    at: key.createdAt,
  });
}

function toKey({ id, label, created_at }: KeyRow): ApiKey {
  return { id, label, createdAt: created_at };
}

function publicPrefix(secret: string): string {
  return secret.slice(0, publicPrefixLength);
}

function digest(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}
