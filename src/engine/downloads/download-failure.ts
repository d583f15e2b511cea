import { EngineError } from '../errors.js';

/** How long is waited for what, in milliseconds. */
export interface Patience {
  timeoutMs: number;
  idleTimeoutMs: number;
  connectTimeoutMs: number;
}

type Sentence = (host: string, patience: Patience) => string;

/** By the code of the error that Node or undici fails with, or its name if it has none. */
const sentences: [RegExp, Sentence][] = [
  [/^(ENOTFOUND|EAI_AGAIN|ENODATA)$/, (host) => `${host} was not found`],
  [/^ECONNREFUSED$/, (host) => `${host} refused the connection`],
  [/^(EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|EACCES|EPERM)$/, (host) => `${host} cannot be reached from here`],
  [
    /^(UND_ERR_CONNECT_TIMEOUT|ETIMEDOUT)$/,
    (host, { connectTimeoutMs }) => `${host} did not answer in ${inSeconds(connectTimeoutMs)}`,
  ],
  [/^UND_ERR_HEADERS_TIMEOUT$/, (host, { idleTimeoutMs }) => `${host} did not answer in ${inSeconds(idleTimeoutMs)}`],
  [
    /^UND_ERR_BODY_TIMEOUT$/,
    (host, { idleTimeoutMs }) =>
      `${host} stopped in the middle of the file and sent nothing for ${inSeconds(idleTimeoutMs)}`,
  ],
  [
    /^(ECONNRESET|EPIPE|UND_ERR_SOCKET|UND_ERR_RES_CONTENT_LENGTH_MISMATCH|HPE_INVALID_EOF_STATE)$/,
    (host) => `${host} closed the connection before the end of its answer`,
  ],
  [
    /^(CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_CERT_)/,
    (host) => `${host} has a certificate that is not trusted here`,
  ],
  [/^(EPROTO$|ERR_SSL_|ERR_TLS_)/, (host) => `${host} does not speak TLS`],
  [/^(HTTPParserError$|HPE_|UND_ERR_HEADERS_OVERFLOW$)/, (host) => `${host} does not speak HTTP`],
];

/**
 * Why nothing could be fetched, as an `invalid_input` for whoever named the address. An EngineError stays itself; an
 * error that is no failure of the network too, since it is one of this program.
 */
export function explainFailure(error: unknown, host: string, patience: Patience): unknown {
  if (error instanceof EngineError) return error;
  const { name, code = name, syscall } = Object(error) as NodeJS.ErrnoException;
  const [, sentence] = sentences.find(([codes]) => codes.test(String(code))) ?? [];
  if (sentence) return new EngineError('invalid_input', sentence(host, patience), { cause: error });
  if (syscall) return new EngineError('invalid_input', `${host} cannot be reached (${code})`, { cause: error });
  return error;
}

/** What to say when the whole takes too long. */
export function tookTooLong(timeoutMs: number): EngineError {
  return new EngineError('invalid_input', `the address did not answer to the end in ${inSeconds(timeoutMs)}`);
}

function inSeconds(ms: number): string {
  return ms === 1000 ? '1 second' : `${ms / 1000} seconds`;
}
