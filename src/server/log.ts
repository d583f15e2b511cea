import { type DestinationStream, destination, type Logger, pino } from 'pino';
import type { Config } from '../engine/config.js';

/** JSON lines on standard error, so that standard output holds nothing but what a person or a script waits for. */
export function createLog(level: Config['DARKROOM_LOG'], stream: DestinationStream = standardError()): Logger {
  // An Error under a name without a serializer would be logged as {}.
  const { err } = pino.stdSerializers;
  return pino({ level, base: null, serializers: { err, error: err, cause: err } }, stream);
}

function standardError(): DestinationStream {
  return destination({ dest: 2, sync: true });
}
