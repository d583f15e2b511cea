import { EngineError } from '../engine/errors.js';

/** Bytes that all requests together may hold in memory. */
export interface ByteBudget {
  /** Errors: `busy` when not that many are left. */
  take(bytes: number): void;
  give(bytes: number): void;
}

/** A budget of `total` bytes. */
export function createByteBudget(total: number): ByteBudget {
  let left = total;
  return {
    take(bytes) {
      if (bytes > left) {
        throw new EngineError(
          'busy',
          'Too many large JSON requests at the same time: try again, or send the picture as multipart/form-data',
          {
            retryAfterSeconds: 2,
          },
        );
      }
      left -= bytes;
    },
    give(bytes) {
      left += bytes;
    },
  };
}
