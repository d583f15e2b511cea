import { z } from 'zod';
import type { Operation } from '#src/engine/operations/operation.js';
import type { TaskRunner } from '#src/engine/task.js';

/** An operation that takes nothing and does nothing: what is left is the cost of the queue. */
export const noop: Operation = {
  name: 'no-op',
  type: 'NO_OP',
  command: 'no-op',
  idPrefix: 'noop',
  syncPaths: [],
  lane: 'cpu',
  pictures: [],
  summary: 'Does nothing',
  params: z.object({}),
  models: () => [],
  perform: async () => ({ outputs: [], warnings: [], facts: {} }),
};

/** A runner that ends every task at once, and none before `open` is called. */
export function noopRunner(slots: number): TaskRunner & { open(): void } {
  let isOpen = false;
  let running = 0;
  let wake = () => {};
  const perLane = { device: 0, cpu: slots, media: 0, remote: 0 };
  const facts = { pid: process.pid, device: 'none', deviceReason: 'no-op', workers: slots, threads: 0, slots: perLane };
  return {
    open() {
      isOpen = true;
      wake();
    },
    idleSlots: (lane) => (isOpen ? perLane[lane] - running : 0),
    onIdle: (listener) => {
      wake = listener;
    },
    async run() {
      running += 1;
      await Promise.resolve();
      running -= 1;
      wake();
      return { outputs: [], warnings: [], facts: {}, device: 'none', models: [], stageMs: {} };
    },
    inspect: () => Promise.reject(new Error('no-op takes no file')),
    facts: () => facts,
    ready: async () => facts,
    close: async () => {},
  };
}
