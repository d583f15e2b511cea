import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfig } from '#src/engine/config.js';
import { EngineError } from '#src/engine/errors.js';
import { createClipKit } from '#src/engine/media/clip.js';
import { ffmpegFinder } from '#src/engine/media/ffmpeg.js';
import { createImageKit } from '#src/engine/media/image.js';
import { modelNeeds, parseParams } from '#src/engine/operations/index.js';
import type { Operation } from '#src/engine/operations/operation.js';
import type { Stage, Workbench } from '#src/engine/operations/workbench.js';
import { openShelf } from '#src/engine/shelf.js';
import { type LoadedModel, loadModel } from '#src/models/load.js';
import type { ModelOfTask } from '#src/models/model.js';
import { type ModelEntry, readLockfile } from '#src/models/lockfile.js';
import { lockfilePath } from '#src/models/files/weights.js';
import { install, type TinyModel } from './tiny-models.js';

export interface TestBench extends Workbench {
  folder: string;
  /** Where the attempt said to be, in order, without repetitions. */
  stages: Stage[];
  close(): Promise<void>;
}

export interface BenchOptions {
  /** Id of a bundled model, in the slot of its task. */
  model?: string;
  /** Ids of bundled models by slot. */
  models?: Record<string, string>;
  /** Models of the owner's own that are installed beside. */
  own?: readonly TinyModel[];
  /** Local path of the picture, once its folder is known. */
  input(folder: string): Promise<string>;
  /** Local paths of pictures in other fields than `image`, once the folder is known. */
  inputs?(folder: string): Promise<Record<string, string[]>>;
  /** Called at each checkpoint; throws to stop. */
  onCheckpoint?(stage: Stage, fraction: number): void;
}

/** A workbench with real decoding, a real model and a folder of its own. */
export async function openWorkbench(options: BenchOptions): Promise<TestBench> {
  const { input, onCheckpoint, own = [] } = options;
  const folder = await mkdtemp(join(tmpdir(), 'darkroom-operation-'));
  for (const tiny of own) await install(tiny, folder);
  const path = await input(folder);
  const pictures: Record<string, string[]> = { image: [path], ...(await options.inputs?.(folder)) };
  const slots = options.models ?? (options.model === undefined ? {} : { [entryOf(options.model).task]: options.model });
  const loaded = new Map<string, LoadedModel>();
  const stages: Stage[] = [];
  return {
    folder,
    stages,
    input: (field) => {
      const [first] = pictures[field] ?? [];
      if (first === undefined)
        throw new EngineError('invalid_input', `Expected a picture in ${field}`, { param: field });
      return first;
    },
    inputs: (field) => pictures[field] ?? [],
    has: (slot) => slots[slot] !== undefined,
    images: createImageKit({ folder, limits: { maxBytes: 5e7, maxPixels: 5e7, maxSide: 30_000 } }),
    onCpu: async () => null,
    step: () => Promise.reject(new Error('Steps are done by the worker')),
    model: async (task, wanted = task) => {
      const slot = typeof wanted === 'string' ? wanted : wanted.slot;
      const id = slots[slot] ?? '';
      const model = loaded.get(id) ?? (await loadModel(entryOf(id, own), { folder, device: 'cpu', threads: 2 }));
      loaded.set(id, model);
      if (model.task !== task) throw new Error(`Expected a model for ${task}`);
      return model.model as ModelOfTask[typeof task];
    },
    clips: createClipKit({ folder, findFfmpeg: ffmpegFinder(null) }),
    checkpoint: (stage, fraction = 0) => {
      if (stages.at(-1) !== stage) stages.push(stage);
      onCheckpoint?.(stage, fraction);
    },
    close: async () => {
      for (const model of loaded.values()) await model.release();
      await rm(folder, { recursive: true });
    },
  };
}

/** The models that the program would choose for these params, by slot; installed is what comes with it, and what is `own`. */
export async function chosenModels(
  operation: Operation,
  params: Record<string, unknown>,
  own: readonly TinyModel[] = [],
): Promise<Record<string, string>> {
  const data = await mkdtemp(join(tmpdir(), 'darkroom-models-'));
  for (const tiny of own) {
    await install(tiny, join(data, 'models'));
    await writeFile(join(data, 'models', tiny.entry.id, 'model.json'), JSON.stringify(tiny.entry));
  }
  const shelf = await openShelf(readConfig({ DARKROOM_DATA: data }));
  try {
    return shelf.choose(modelNeeds(operation, parseParams(operation, params).params)).bySlot;
  } finally {
    await shelf.close();
    await rm(data, { recursive: true });
  }
}

function entryOf(id: string, own: readonly TinyModel[] = []): ModelEntry {
  const entries = [...own.map((tiny) => tiny.entry), ...readLockfile(lockfilePath).models];
  const entry = entries.find((model) => model.id === id);
  if (!entry) throw new Error(`${id} is not in the lock file`);
  return entry;
}
