/**
 * The closed list of what can go wrong. Every failure that leaves a function of this program is one of these codes;
 * anything else that is thrown is a bug and becomes `internal`.
 */
export const errorCodes = [
  'invalid_input',
  'unauthorized',
  'forbidden',
  'not_found',
  'gone',
  'idempotency_key_reuse',
  'unsupported',
  'too_large',
  'busy',
  'storage_full',
  'timeout',
  'cancelled',
  'crashed',
  'interrupted',
  'out_of_memory',
  'model_unavailable',
  'content_policy',
  'provider_unavailable',
  'internal',
] as const;

export type ErrorCode = (typeof errorCodes)[number];

/** Whether another attempt of the same job can end differently. */
const retryable = {
  invalid_input: false,
  unauthorized: false,
  forbidden: false,
  not_found: false,
  gone: false,
  idempotency_key_reuse: false,
  unsupported: false,
  too_large: false,
  busy: true,
  storage_full: true,
  timeout: false,
  cancelled: false,
  crashed: true,
  interrupted: true,
  out_of_memory: true,
  model_unavailable: false,
  content_policy: false,
  provider_unavailable: true,
  internal: true,
} satisfies Record<ErrorCode, boolean>;

/** What a caller can act on beside the message. */
export interface ErrorDetails {
  /** The request field, option or file that is wrong. */
  param?: string;
  /** Seconds after which the same request can succeed. */
  retryAfterSeconds?: number;
}

/**
 * A failure with a closed `code`. `message` is written for the caller and safe to show; `cause` is for the operator:
 * it is logged and never sent.
 */
export class EngineError extends Error {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;

  constructor(code: ErrorCode, message: string, options: ErrorDetails & { cause?: unknown } = {}) {
    const { cause, ...details } = options;
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'EngineError';
    this.code = code;
    this.details = details;
  }
}

/** Whether the job that ended with this code is worth another attempt. */
export function isRetryable(code: ErrorCode): boolean {
  return retryable[code];
}

/** The error itself if it is one of ours, otherwise `internal` with the original as its cause. */
export function toEngineError(error: unknown): EngineError {
  if (error instanceof EngineError) return error;
  return new EngineError('internal', 'Internal error', { cause: error });
}

/** An EngineError as plain data: an Error subclass loses its fields when it is posted between threads and processes. */
export interface SerializedError {
  code: ErrorCode;
  message: string;
  details: ErrorDetails;
  cause?: string;
}

/** The plain form of any thrown value, for a thread or process boundary or for the database. */
export function serializeError(error: unknown): SerializedError {
  const { code, message, details, cause } = toEngineError(error);
  return cause === undefined ? { code, message, details } : { code, message, details, cause: describeCause(cause) };
}

/** The EngineError that `serializeError` made plain. */
export function reviveError({ code, message, details, cause }: SerializedError): EngineError {
  return new EngineError(code, message, cause === undefined ? details : { ...details, cause });
}

function describeCause(cause: unknown): string {
  return cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
}
