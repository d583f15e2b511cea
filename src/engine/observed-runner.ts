import { EngineError } from './errors.js';
import type { Task, TaskResult, TaskRunner } from './task.js';

/** Hears how tasks went with their models. */
export interface ModelObserver {
  done(result: TaskResult): void;
  /** A model of the task could not be used. */
  refused(task: Task, error: EngineError): void;
}

/** The runner, with an observer that hears of every task. */
export function observeModels(runner: TaskRunner, observer: ModelObserver): TaskRunner {
  return {
    idleSlots: (lane) => runner.idleSlots(lane),
    onIdle: (listener) => runner.onIdle(listener),
    inspect: (path, param) => runner.inspect(path, param),
    facts: () => runner.facts(),
    ready: () => runner.ready(),
    close: () => runner.close(),
    async run(task, options) {
      try {
        const result = await runner.run(task, options);
        observer.done(result);
        return result;
      } catch (error) {
        if (error instanceof EngineError && error.code === 'model_unavailable') observer.refused(task, error);
        throw error;
      }
    },
  };
}
