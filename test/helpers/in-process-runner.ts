import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Lane } from '#src/engine/operations/operation.js';
import type { HostFacts, Task, TaskResult, TaskRunner } from '#src/engine/task.js';

export interface InProcessRunner extends TaskRunner {
  /** Ids of the tasks that run now. */
  running: Set<string>;
}

type Work = (task: Task, signal: AbortSignal) => Promise<void>;

/** A TaskRunner without a host process, for tests of what is around it: each task does `work` and leaves a small file. */
export function inProcessRunner(slots: number, work: Work = async () => {}): InProcessRunner {
  const running = new Set<string>();
  let wake = () => {};
  const facts: HostFacts = {
    pid: process.pid,
    device: 'none',
    deviceReason: 'in process',
    workers: slots,
    threads: 1,
    slots: everywhere(slots),
  };
  return {
    running,
    idleSlots: () => slots - running.size,
    onIdle: (listener) => {
      wake = listener;
    },
    async run(task, { signal }) {
      running.add(task.id);
      try {
        await work(task, signal);
        return await result(task);
      } finally {
        running.delete(task.id);
        wake();
      }
    },
    inspect: async () => ({ format: 'png', width: 1, height: 1, hasAlpha: false, bytes: 1 }),
    facts: () => facts,
    ready: async () => facts,
    close: async () => {},
  };
}

async function result(task: Task): Promise<TaskResult> {
  const path = join(task.folder, 'out.png');
  await writeFile(path, task.id);
  return {
    outputs: [{ path, format: 'png', contentType: 'image/png' }],
    warnings: [],
    facts: {},
    device: 'none',
    models: [],
    stageMs: {},
  };
}

function everywhere(slots: number): Record<Lane, number> {
  return { device: slots, cpu: slots, media: slots, remote: slots };
}
