// One thread of the bare loop that the engine is held against.
import { once } from 'node:events';
import { parentPort, workerData } from 'node:worker_threads';
import { openDirect } from './direct.js';

export interface BareWork {
  operation: string;
  params: Record<string, unknown>;
  /** Threads of one model run. */
  threads: number;
  warmUp: string[];
  pictures: string[];
  /** One integer, shared by all threads: the picture that is to be made next. */
  next: Int32Array;
}

export type BareNote = { type: 'warm' | 'ended' } | { type: 'made'; made: { index: number; path: string }[] };

const { operation, params, threads, warmUp, pictures, next } = workerData as BareWork;
const port = parentPort;
if (!port) throw new Error('Expected to run in a worker thread');
const post = (note: BareNote) => port.postMessage(note);

const direct = await openDirect(operation, params, threads);
for (const picture of warmUp) await direct.perform(picture);
post({ type: 'warm' });
await once(port, 'message');
const made: { index: number; path: string }[] = [];
for (let index = Atomics.add(next, 0, 1); index < pictures.length; index = Atomics.add(next, 0, 1)) {
  made.push({ index, path: (await direct.perform(pictures[index] as string)).path });
}
post({ type: 'made', made });
await once(port, 'message');
await direct.close();
post({ type: 'ended' });
