/** An API key as it is kept: never the key itself. */
export interface ApiKey {
  id: string;
  label: string;
  createdAt: number;
}

/** API keys: 256 random bits, kept as SHA-256 digests (no slow hash is needed at that entropy). */
export interface KeyStore {
  /** Makes a key; `secret` is shown once and can't be had again. */
  create(label: string): Promise<ApiKey & { secret: string }>;
  /** The key that this secret is, or null; compared in constant time. */
  verify(secret: string): Promise<ApiKey | null>;
  count(): Promise<number>;
}
