import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createImageKit } from '#src/engine/media/image.js';
import type { LoadedModels, Stage, Workbench } from '#src/engine/operations/workbench.js';
import { type LoadedModel, loadModel } from '#src/models/index.js';
import { readLockfile } from '#src/models/lockfile.js';
import { lockfilePath } from '#src/models/weights.js';

export interface TestBench extends Workbench {
  folder: string;
  /** Where the attempt said to be, in order, without repetitions. */
  stages: Stage[];
  close(): Promise<void>;
}

export interface BenchOptions {
  /** Id of a bundled model. */
  model: string;
  /** Local path of the picture, once its folder is known. */
  input(folder: string): Promise<string>;
  /** Called at each checkpoint; throws to stop. */
  onCheckpoint?(stage: Stage, fraction: number): void;
}

/** A workbench with real decoding, a real model and a folder of its own. */
export async function openWorkbench({ model, input, onCheckpoint }: BenchOptions): Promise<TestBench> {
  const folder = await mkdtemp(join(tmpdir(), 'darkroom-operation-'));
  const path = await input(folder);
  const entry = readLockfile(lockfilePath).models.find(({ id }) => id === model);
  if (!entry) throw new Error(`${model} is not in the lock file`);
  const loaded: LoadedModel = await loadModel(entry, { folder, device: 'cpu', threads: 2 });
  const stages: Stage[] = [];
  return {
    folder,
    stages,
    input: () => path,
    images: createImageKit({ folder, limits: { maxBytes: 5e7, maxPixels: 5e7, maxSide: 30_000 } }),
    model: async (task) => {
      if (loaded.task !== task) throw new Error(`Expected a model for ${task}`);
      return loaded.model as LoadedModels[typeof task];
    },
    checkpoint: (stage, fraction = 0) => {
      if (stages.at(-1) !== stage) stages.push(stage);
      onCheckpoint?.(stage, fraction);
    },
    close: async () => {
      await loaded.release();
      await rm(folder, { recursive: true });
    },
  };
}
