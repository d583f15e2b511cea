import type { SerializedError } from './errors.js';
import type { HostSettings } from './host/host-settings.js';
import type { ImageFacts } from './media/media.js';
import type { Lane, Outcome } from './operations/operation.js';
import type { Stage } from './operations/workbench.js';

/** One attempt as it is handed to the host process: paths, params and names, never pixels. */
export interface Task {
  /** Unique among attempts: job id and fencing token. */
  id: string;
  lane: Lane;
  operation: string;
  params: Record<string, unknown>;
  /** Local paths per input field. */
  inputs: Record<string, string[]>;
  /** The main model: the task goes to a thread that has it loaded. Null: it needs none. */
  model: string | null;
  /** The ids of all its models by slot. */
  models: Record<string, string>;
  /** Folder for temporary and output files of this attempt; removed by whoever made it. */
  folder: string;
}

/** What came of a task, and where its time went. */
export interface TaskResult extends Outcome {
  /** The execution provider that really ran the models, for example `cpu`. */
  device: string;
  /** Ids of the models that were used, in the order of their first use. */
  models: string[];
  /** Milliseconds per stage. */
  stageMs: Partial<Record<Stage, number>>;
}

export interface Progress {
  stage: Stage;
  /** 0..1, of the whole attempt. */
  fraction: number;
}

/** What the host process reports of itself once it can take tasks. */
export interface HostFacts {
  pid: number;
  /** The execution provider that models run on, verified. */
  device: string;
  /** Why it is this one. */
  deviceReason: string;
  workers: number;
  threads: number;
  /** Tasks that may run at the same time, per lane. */
  slots: Record<Lane, number>;
}

/** Runs tasks outside of the server process. */
export interface TaskRunner {
  /** How many tasks of the lane can be started now. 0 while the host starts. */
  idleSlots(lane: Lane): number;
  /** Called whenever `idleSlots` may have grown. */
  onIdle(listener: () => void): void;
  /**
   * Runs one task. Aborting the signal asks it to stop between two steps; a task that does not react within
   * the kill delay is ended with its host process, after the other tasks have been handed on.
   * Errors: those of the operation, `cancelled` or `timeout` (the signal's reason), `crashed` if the host process died,
   * `interrupted` if something outside ended it with SIGKILL,
   * `busy` with retry if the task was handed on and never ran to its end.
   */
  run(task: Task, options: { signal: AbortSignal; onProgress(progress: Progress): void }): Promise<TaskResult>;
  /** Decodes a file completely, at reduced size: facts, or why it cannot be taken (`invalid_input`, `too_large`, `unsupported`). */
  inspect(path: string, param: string): Promise<ImageFacts>;
  /** Null while the host starts. */
  facts(): HostFacts | null;
  /** Resolves when tasks can be run; rejects when the host cannot be started with these settings. */
  ready(): Promise<HostFacts>;
  /** Ends the host process; running tasks must have ended or are lost. */
  close(): Promise<void>;
}

/** Why a task is asked to stop. */
export type StopReason = 'cancelled' | 'timeout';

/**
 * Where a task is inside the host: `queued` waits for a thread, `parked` waits until a model has been loaded, `loading`
 * has its model loaded, `running` has begun. Only what is queued or running counts against the slots of its lane.
 */
export type Whereabouts = 'queued' | 'parked' | 'loading' | 'running';

/** Server → host. */
export type HostCommand =
  | { type: 'start'; settings: HostSettings }
  | { type: 'run'; task: Task }
  | { type: 'inspect'; id: string; path: string; param: string }
  | { type: 'abort'; id: string; reason: StopReason }
  /** Give back what has not begun, and begin nothing more. */
  | { type: 'surrender' }
  | { type: 'close' };

/** Host → server. */
export type HostEvent =
  | { type: 'ready'; facts: HostFacts }
  | { type: 'unusable'; error: SerializedError }
  | { type: 'moved'; id: string; to: Whereabouts }
  | { type: 'progress'; id: string; progress: Progress }
  | { type: 'done'; id: string; result: TaskResult }
  | { type: 'inspected'; id: string; facts: ImageFacts }
  | { type: 'failed'; id: string; error: SerializedError }
  /** The task was given back without having begun. */
  | { type: 'returned'; id: string }
  /** The host asks to be replaced by a fresh one. */
  | { type: 'worn'; reason: string };
