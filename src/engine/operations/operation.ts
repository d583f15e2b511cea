import type { z } from 'zod';
import type { ModelEntry } from '../../models/lockfile.js';
import type { ModelTask } from '../../models/model.js';
import type { Capabilities } from '../routing/backend.js';
import type { Order } from '../routing/order.js';
import type { Workbench } from './workbench.js';

/** Where jobs wait and run: each lane has its own concurrency, so that slow work of one kind never holds up another. */
export const lanes = ['device', 'cpu', 'media', 'remote'] as const;
export type Lane = (typeof lanes)[number];

/** A file that an operation made, still under its temporary name. */
export interface OutputFile {
  path: string;
  /** Also the extension of its public name. */
  format: string;
  contentType: string;
  width?: number;
  height?: number;
}

/** What one attempt gives back. */
export interface Outcome {
  outputs: OutputFile[];
  /** What could not be honoured, in words. */
  warnings: string[];
  /** Sizes and choices worth showing in the debug block. */
  facts: Record<string, unknown>;
  /** What did the work, where that is not the main model of the job. */
  modelActual?: string;
}

/** One model that an attempt may load. */
export interface ModelNeed {
  task: ModelTask;
  /** The name by which `perform` asks for it; default: its task. */
  slot?: string;
  /** Id of a model, or `auto`. */
  wanted: string;
  /** Why a model of the task can't serve these params; null if it can. Default: every one can. */
  misfit?(entry: ModelEntry): string | null;
  /** The param that names it; default: `model`. */
  param?: string;
  /** The work can be done without it, less well: `perform` asks `bench.has` first. */
  optional?: boolean;
  /** Also find the network whose weights can be mixed with this one's, if the lock file names one and it can be used. */
  twin?: boolean;
}

/** Pictures that may come with a request under one name. */
export interface PictureField {
  field: string;
  /** Refused without it. Default false. */
  required?: boolean;
  /** How many may come; default 1. */
  max?: number;
  /** It lies over the first picture of the main field, as a mask does, and must be as large. Default false. */
  isOverlay?: boolean;
}

/** A way in which this machine does an operation that other backends can do too. */
export interface LocalBackend {
  /** Its concrete name, shown as `model_actual`: `local-motion-i2v`. */
  model: string;
  /** Other names under which a request can ask for it. */
  names: readonly string[];
  /** Also what it does less well, and says so in a warning. */
  capabilities: Capabilities;
  /** Tried after all others, unless it is asked for by name. */
  isLastResort: boolean;
  /** Why it can't be used, in a sentence: something that it needs is not there. Default: it can. */
  problem?: string | null;
}

/** Another operation as a part of one. */
export interface Step {
  operation: string;
  /** As sent. */
  params: Record<string, unknown>;
}

/** An operation that can be ordered many times in one request. */
export interface BatchTraits {
  /** Of the ids of batches: `video_batch`. */
  idPrefix: string;
  /** Of the ids of their jobs, if it is another one: `vid`. */
  jobIdPrefix?: string;
  max: number;
}

/**
 * What can be asked for: validation, routes, listings and the worker all derive from this one value. The file of an
 * operation loads no native library: what it needs of them is handed to `perform`, which runs in a worker thread.
 */
export interface Operation<Params extends object = object> {
  /** As in the path: `background-removal`. */
  name: string;
  /** As in status bodies: `BACKGROUND_REMOVAL`. */
  type: string;
  /** As on the command line: `cutout`. */
  command: string;
  /** Of job ids: `bgrm`. */
  idPrefix: string;
  /** How many can be ordered in one request; default: one at a time. */
  batch?: BatchTraits;
  /** The OpenAI-style paths of the synchronous twin under `/v1/images/`. */
  syncPaths: string[];
  lane: Lane;
  /** Fields that carry pictures; the first is the main one. */
  pictures: readonly PictureField[];
  /** One line for listings and `--help`. */
  summary: string;
  /** Flat: every value may also come as a string, from a form or a command line. */
  params: z.ZodObject<z.ZodRawShape, z.core.$strip> & z.ZodType<Params>;
  /** Other operations that `perform` has done for it with `bench.step`, in their order; their params are checked with its own. */
  steps?(params: Params): readonly Step[];
  /** Whether its facts hold a verdict on the result, as `quality`. Default false. */
  judges?: boolean;
  /** The models of an attempt, the main one first: it is warm when the attempt begins, the others are loaded on demand. */
  models(params: Params): ModelNeed[];
  /**
   * What these params ask for in the words of the router, for an operation that other backends than this machine can
   * do. `inputs` are those of the job, in its order.
   */
  order?(params: Params, inputs: readonly { field: string }[]): Order;
  /** This machine as one of the backends of an operation with `order`: under which names, and what it can do. */
  local?: readonly LocalBackend[];
  perform(bench: Workbench, params: Params): Promise<Outcome>;
}
