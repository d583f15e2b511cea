import { destination, type Logger, pino } from 'pino';
import type { Config } from '../engine/config.js';

/** JSON lines on standard error, so that standard output holds nothing but what a person or a script waits for. */
export function createLog(level: Config['DARKROOM_LOG']): Logger {
  return pino({ level, base: null }, destination({ dest: 2, sync: true }));
}
