import { mkdir } from 'node:fs/promises';
import type { Backend, BackendRun, Made } from './backend.js';
import type { Job } from '../jobs/job-store.js';
import type { Lane, LocalBackend, Operation } from '../operations/operation.js';
import type { ChosenModels } from '../shelf.js';
import type { TaskRunner } from '../task.js';

/** What it takes to do a job on this machine. */
export interface LocalParts {
  runner: TaskRunner;
  /** The models for this job, decided anew for every attempt. Errors: `model_unavailable`, `invalid_input`. */
  chooseModels(job: Job): Promise<ChosenModels>;
}

/** What an attempt on this machine has at hand. */
export interface LocalRun
  extends Pick<BackendRun, 'job' | 'inputs' | 'folder' | 'signal' | 'onProgress' | 'onStarted'> {
  /** What the result is said to be by, where the operation does not say; default: its main model. */
  name?: string;
}

/** This machine as one of the backends of an operation. */
export function localBackend(operation: Operation, local: LocalBackend, parts: LocalParts): Backend {
  return {
    id: `local/${local.model}`,
    provider: 'local',
    operation: operation.name,
    model: local.model,
    names: local.names,
    capabilities: local.capabilities,
    price: 0,
    defaults: [],
    isPaid: false,
    isLastResort: local.isLastResort,
    problem: local.problem ?? null,
    run: (run) => runLocally({ ...run, name: local.model }, operation.lane, parts),
  };
}

/** Does the job in the host process. Errors: those of the operation and of the runner. */
export async function runLocally(
  { job, name, inputs, folder, signal, onProgress, onStarted }: LocalRun,
  lane: Lane,
  { runner, chooseModels }: LocalParts,
): Promise<Made> {
  const { main, bySlot } = await chooseModels(job);
  await mkdir(folder, { recursive: true });
  signal.throwIfAborted();
  const { operation, params } = job;
  const id = `${job.id}-${job.token}`;
  const task = { id, lane, operation, params, inputs, folder, model: main, models: bySlot };
  const running = runner.run(task, { signal, onProgress });
  onStarted();
  const { outputs, warnings, device, models, stageMs, ...done } = await running;
  const modelActual = done.modelActual ?? name ?? main ?? models[0];
  const facts = { ...done.facts, device, models, stageMs };
  return { outputs, warnings, facts, ...(modelActual !== undefined && { modelActual }) };
}
