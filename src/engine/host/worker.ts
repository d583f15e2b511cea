// Entry of a worker thread. Everything native of the program happens in here.
import { parentPort, workerData } from 'node:worker_threads';
import type { LoadedModel } from '../../models/load.js';
import { EngineError } from '../errors.js';
import { createClipKit } from '../media/clip.js';
import { ffmpegFinder } from '../media/ffmpeg.js';
import { createImageKit, inspect as inspectImage } from '../media/image.js';
import type { ImageFacts } from '../media/media.js';
import type { ModelLoader } from './model-loader.js';
import { type ModelKey, modelKey } from './model-key.js';
import type { LoadableTask, ModelOfTask } from '../../models/model.js';
import type { Operation, Outcome } from '../operations/operation.js';
import { type ImageKit, type Mixture, stepSlot, twinOf, type Workbench } from '../operations/workbench.js';
import { Permits } from './permits.js';
import { SessionCache } from './session-cache.js';
import { StageClock } from './stages.js';
import { stopError } from './stop.js';
import type { Task, TaskResult } from '../task.js';
import {
  hasPermit,
  type LoadReport,
  markPermit,
  type ProgressNote,
  type Reply,
  readStop,
  replyWith,
  type WorkerData,
} from './worker-protocol.js';

const { settings, device, threads, memory, control, permits: permitMemory } = workerData as WorkerData;
const permits = permitMemory && new Permits(permitMemory);

const { findOperation } = (await import(settings.operationsModule ?? '../operations/index.js')) as {
  findOperation(name: string): Operation | undefined;
};
const { loadModel } = (await import(settings.loaderModule ?? './model-loader.js')) as { loadModel: ModelLoader };

const models = new SessionCache<LoadedModel>({
  budget: memory,
  load: (id) => loadModel(id, { folder: settings.modelsFolder, device, threads }),
});

const findFfmpeg = ffmpegFinder(settings.ffmpeg);

/** Answers when the thread can take tasks. */
export function greet(): Promise<Reply<null>> {
  return replyWith(async () => null);
}

/** Makes a model ready to run in this thread. */
export function load(id: string): Promise<Reply<LoadReport>> {
  return replyWith(async () => models.report((await models.load(id)).evictions));
}

/** Makes one attempt of a job. */
export function perform(task: Task): Promise<Reply<TaskResult>> {
  return replyWith(() => attempt(task));
}

/** Looks into a file that was sent. */
export function inspect({ path, param }: { path: string; param: string }): Promise<Reply<ImageFacts>> {
  return replyWith(() => inspectImage(path, param, settings.limits));
}

async function attempt(task: Task): Promise<TaskResult> {
  const operation = findOperation(task.operation);
  if (!operation) throw new EngineError('unsupported', `There is no operation "${task.operation}"`);
  const clock = new StageClock((progress) => {
    parentPort?.postMessage({ id: task.id, progress } satisfies ProgressNote);
  });
  const used = new Map<string, LoadedModel>();
  const images = createImageKit({ folder: task.folder, limits: settings.limits });
  const bench = openBench({ task, operation, clock, used, images });
  try {
    const outcome = await operation.perform(bench, task.params);
    // One that runs on the CPU after all is what the caller should hear of.
    const devices = [...used.values()].map((model) => model.device);
    const actual = devices.find((each) => each !== device) ?? device;
    return { ...outcome, device: actual, models: [...used.keys()], stageMs: clock.times() };
  } finally {
    returnPermit();
  }
}

interface Attempt {
  /** Its params, inputs and models: of a step when it is one. */
  task: Pick<Task, 'operation' | 'params' | 'inputs' | 'models' | 'folder'>;
  operation: Operation;
  clock: StageClock;
  used: Map<string, LoadedModel>;
  images: ImageKit;
}

function openBench(attempt: Attempt): Workbench {
  const { task, clock, used, images } = attempt;
  const open = async <Kind extends LoadableTask>(kind: Kind, key: ModelKey): Promise<ModelOfTask[Kind]> => {
    const before = clock.enter('load');
    const loaded = await models.get(modelKey(key));
    if (before) clock.enter(before);
    used.set(key.id, loaded);
    return modelFor(kind, loaded, key.id);
  };
  return {
    folder: task.folder,
    input: (field) => inputPath(task, field),
    inputs: (field) => task.inputs[field] ?? [],
    images,
    step: (index, { picture, isLast }) =>
      performStep({ ...attempt, images: isLast ? images : images.between() }, index, picture),
    clips: createClipKit({ folder: task.folder, findFfmpeg }),
    has: (slot) => task.models[slot] !== undefined,
    model: (kind, slot = kind) => open(kind, keyOf(task, slot)),
    onCpu: async (kind, slot = kind) => {
      return device === 'cpu' ? null : open(kind, { ...keyOf(task, slot), isOnCpu: true });
    },
    checkpoint: (stage, fraction) => {
      throwIfStopped();
      if (stage !== 'infer') returnPermit();
      else if (permits && !hasPermit(control)) {
        clock.leave();
        permits.acquire(throwIfStopped);
        markPermit(control, true);
      }
      clock.enter(stage, fraction);
    },
  };
}

async function performStep(attempt: Attempt, index: number, picture: string): Promise<Outcome> {
  const { task, operation } = attempt;
  const step = operation.steps?.(task.params)[index];
  const other = step && findOperation(step.operation);
  if (!step || !other) throw new EngineError('internal', `${operation.name} has no step ${index}`);
  const prefix = stepSlot(index, '');
  const own = Object.entries(task.models).filter(([slot]) => slot.startsWith(prefix));
  const params = { ...other.params.parse(step.params) };
  const inputs = { ...task.inputs, image: [picture] };
  const models = Object.fromEntries(own.map(([slot, id]) => [slot.slice(prefix.length), id]));
  const part = { operation: other.name, params, inputs, models, folder: task.folder };
  return other.perform(openBench({ ...attempt, task: part, operation: other }), params);
}

function throwIfStopped(): void {
  const reason = readStop(control);
  if (reason) throw stopError(reason);
}

function returnPermit(): void {
  if (markPermit(control, false)) permits?.release();
}

function inputPath({ inputs }: Attempt['task'], field: string): string {
  const path = inputs[field]?.[0];
  if (path === undefined) throw new EngineError('invalid_input', `Expected a picture in ${field}`, { param: field });
  return path;
}

function keyOf(task: Attempt['task'], slot: string | Mixture): ModelKey {
  if (typeof slot === 'string') return { id: modelId(task, slot) };
  return { id: modelId(task, slot.slot), twin: { id: modelId(task, twinOf(slot.slot)), share: 1 - slot.share } };
}

function modelId({ models, operation }: Attempt['task'], slot: string): string {
  const id = models[slot];
  if (id === undefined) throw new EngineError('model_unavailable', `No model for ${slot} was found for ${operation}`);
  return id;
}

function modelFor<Kind extends LoadableTask>(kind: Kind, loaded: LoadedModel, id: string): ModelOfTask[Kind] {
  if (loaded.task === kind) return loaded.model as ModelOfTask[Kind];
  throw new EngineError('invalid_input', `Expected a model for ${kind}, got "${id}" for ${loaded.task}`, {
    param: 'model',
  });
}
