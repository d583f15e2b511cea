import { EngineError } from '../errors.js';
import type { StopReason } from '../task.js';

/** The error that a stopped task ends with. */
export function stopError(reason: StopReason): EngineError {
  return reason === 'timeout'
    ? new EngineError('timeout', 'The job took longer than a job may take; try a smaller picture')
    : new EngineError('cancelled', 'The job was cancelled');
}

/** What an aborted signal asks for: a reason that is a timeout of any kind, otherwise a cancellation. */
export function stopReason(signal: AbortSignal): StopReason {
  const { reason } = signal;
  if (reason instanceof EngineError) return reason.code === 'timeout' ? 'timeout' : 'cancelled';
  return reason === 'timeout' || (reason instanceof Error && reason.name === 'TimeoutError') ? 'timeout' : 'cancelled';
}
