import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClipKit } from '#src/engine/media/clip.js';
import { ffmpegFinder } from '#src/engine/media/ffmpeg.js';
import { createImageKit } from '#src/engine/media/image.js';
import { findOperation, modelNeeds, parseParams } from '#src/engine/operations/index.js';
import type { OutputFile } from '#src/engine/operations/operation.js';
import type { Workbench } from '#src/engine/operations/workbench.js';
import { loadModel } from '#src/models/load.js';
import type { ModelOfTask } from '#src/models/model.js';
import { readLockfile } from '#src/models/lockfile.js';
import { chooseModel, lockfilePath } from '#src/models/files/weights.js';

/** An operation with its model in this thread: no queue, no store, no host process. */
export interface Direct {
  /** Makes one picture; the file stays until `close`. */
  perform(path: string, others?: Record<string, string>): Promise<OutputFile>;
  close(): Promise<void>;
}

/** The operation with the model that `auto` takes for these params. */
export async function openDirect(name: string, raw: Record<string, unknown>, threads: number): Promise<Direct> {
  const operation = findOperation(name);
  if (!operation) throw new Error(`No operation ${name}`);
  const { params } = parseParams(operation, raw);
  const folder = await mkdtemp(join(tmpdir(), 'darkroom-direct-'));
  const context = { folder, allowNonCommercial: false };
  const [need] = modelNeeds(operation, params);
  if (!need) throw new Error(`${name} needs no model`);
  const entry = chooseModel(readLockfile(lockfilePath), need, context);
  const loaded = await loadModel(entry, { folder, device: 'cpu', threads });
  const images = createImageKit({ folder, limits: { maxBytes: 5e7, maxPixels: 5e7, maxSide: 30_000 } });
  const clips = createClipKit({ folder, findFfmpeg: ffmpegFinder(null) });
  const model: Workbench['model'] = async (task) => loaded.model as ModelOfTask[typeof task];
  return {
    async perform(path, others = {}) {
      const bench: Workbench = {
        folder,
        input: (field) => others[field] ?? path,
        inputs: (field) => (field === 'image' ? [path] : [others[field]].filter((each) => each !== undefined)),
        images,
        clips,
        has: (slot) => slot === need.task,
        model,
        onCpu: async () => null,
        step: () => Promise.reject(new Error('Steps are done by the worker')),
        checkpoint: () => {},
      };
      const [output] = (await operation.perform(bench, params)).outputs;
      if (!output) throw new Error(`${name} made nothing of ${path}`);
      return output;
    },
    async close() {
      await loaded.release();
      await rm(folder, { recursive: true });
    },
  };
}
