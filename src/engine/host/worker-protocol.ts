import type { Device } from '../../models/session.js';
import { EngineError, reviveError, type SerializedError, serializeError } from '../errors.js';
import type { HostSettings } from './host-settings.js';
import type { Progress, StopReason } from '../task.js';

/** What a worker thread is started with. */
export interface WorkerData {
  settings: HostSettings;
  /** The execution provider that models run on. */
  device: Device;
  /** Threads of one model run. */
  threads: number;
  /** Bytes for loaded models in this thread. */
  memory: number;
  /** How the running task is told to stop, and whether it holds a permit. Shared: a thread inside the runtime reads no messages. */
  control: Int32Array;
  /** Memory of the permits to be inside the runtime; null for threads that run no models. */
  permits: Int32Array | null;
}

/** What a worker thread has loaded after a load. */
export interface LoadReport {
  /** Ids of the models that are ready to run. */
  warm: string[];
  /** Bytes left of the thread's share of the model memory. */
  free: number;
  /** Models that were unloaded to make room. */
  evictions: number;
}

/** News of the running task, posted by the thread at most twice a second. */
export interface ProgressNote {
  id: string;
  progress: Progress;
}

/** An answer of a worker thread: errors cross as plain data, since a posted EngineError arrives as a plain Error. */
export type Reply<Value> = { value: Value } | { error: SerializedError };

/** The answer that `work` comes to; never rejects. */
export async function replyWith<Value>(work: () => Promise<Value>): Promise<Reply<Value>> {
  try {
    return { value: await work() };
  } catch (error) {
    return { error: serializeError(error) };
  }
}

/** The value of an answer; throws the revived error. */
export function unwrap<Value>(reply: Reply<Value>): Value {
  if ('error' in reply) throw reviveError(reply.error);
  return reply.value;
}

export function newControl(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT));
}

const [stopField, permitField] = [0, 1];
const stopCodes = { cancelled: 1, timeout: 2 } satisfies Record<StopReason, number>;

/** Asks the running task of a thread to stop at its next step; null withdraws. */
export function setStop(control: Int32Array, reason: StopReason | null): void {
  Atomics.store(control, stopField, reason === null ? 0 : stopCodes[reason]);
}

/** Why the running task is to stop, or null. */
export function readStop(control: Int32Array): StopReason | null {
  const code = Atomics.load(control, stopField);
  if (code === 0) return null;
  return code === stopCodes.timeout ? 'timeout' : 'cancelled';
}

export function hasPermit(control: Int32Array): boolean {
  return Atomics.load(control, permitField) === 1;
}

/** Notes whether the running task holds a permit; returns whether it did before. */
export function markPermit(control: Int32Array, isHeld: boolean): boolean {
  return Atomics.exchange(control, permitField, Number(isHeld)) === 1;
}

/** What happened to a task whose thread died under it. */
export function threadDeath(error: unknown): EngineError {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  return code === 'ERR_WORKER_OUT_OF_MEMORY'
    ? new EngineError('out_of_memory', 'The job needed more memory than a worker has', { cause: error })
    : new EngineError('crashed', 'The worker thread that ran the job died', { cause: error });
}
