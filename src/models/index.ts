import { EngineError } from '../engine/errors.js';
import { cutout } from './cutout.js';
import type { ModelEntry } from './lockfile.js';
import type { LoadableTask, ModelFamily, ModelOfTask } from './model.js';
import { checkSelfContained } from './onnx-file.js';
import { mixWeights } from './weight-mixture.js';
import { saliency } from './saliency.js';
import { createSession, type Device, type ModelSession } from './session.js';
import { srvgg } from './srvgg.js';
import { upscaler } from './upscaler.js';
import { readVerified } from './weights.js';

/** Every family of weights that can be run. */
export const families: readonly ModelFamily[] = [cutout, saliency, upscaler, srvgg];

type Ready = { [Task in LoadableTask]: { task: Task; model: ModelOfTask[Task] } }[LoadableTask];

/** A model in the memory of this thread. */
export type LoadedModel = Ready & {
  /** The device that its session was made for. */
  device: Device;
  /** Size of its weights; a run needs more on top. */
  bytes: number;
  release(): Promise<void>;
};

export interface LoadOptions {
  /** `<data>/models`. */
  folder: string;
  device: Device;
  /** Threads of one run on the CPU. */
  threads: number;
}

/** Reads, checks and loads a model. Errors: `model_unavailable`, `out_of_memory`. */
export async function loadModel(entry: ModelEntry, options: LoadOptions): Promise<LoadedModel> {
  return open(entry, await readNetwork(entry, options.folder), options);
}

/**
 * Loads a model whose weights are mixed with `share` (0..1) of its twin's: what lies between two trainings of one
 * architecture (deep network interpolation, Wang et al. 2019). Errors: as `loadModel`; `model_unavailable` also for two
 * networks that are not of the same architecture.
 */
export async function loadMixture(
  entry: ModelEntry,
  { twin, share }: { twin: ModelEntry; share: number },
  options: LoadOptions,
): Promise<LoadedModel> {
  const [bytes, others] = await Promise.all([entry, twin].map((each) => readNetwork(each, options.folder)));
  if (!bytes || !others) throw new EngineError('internal', 'A network was not read');
  return open(entry, mixWeights(bytes, others, { share, names: [entry.id, twin.id] }), options);
}

async function readNetwork(entry: ModelEntry, folder: string): Promise<Uint8Array> {
  const [file] = entry.files;
  if (!file || entry.files.length > 1) {
    throw new EngineError('model_unavailable', `Model "${entry.id}" of family "${entry.family}" must have one file`);
  }
  const bytes = await readVerified(entry, file, folder);
  checkSelfContained(bytes, entry.id);
  return bytes;
}

async function open(entry: ModelEntry, bytes: Uint8Array, options: LoadOptions): Promise<LoadedModel> {
  const family = findFamily(entry);
  const session = await createSession(bytes, { device: options.device, threads: options.threads, model: entry });
  try {
    const ready = wrap(family, entry, session);
    return { ...ready, device: session.device, bytes: bytes.length, release: () => session.release() };
  } catch (error) {
    await session.release();
    throw error;
  }
}

function findFamily({ id, family, task }: ModelEntry): ModelFamily {
  const found = families.find((candidate) => candidate.name === family && candidate.task === task);
  if (found) return found;
  const known = families.filter((candidate) => candidate.task === task).map(({ name }) => name);
  throw new EngineError(
    'model_unavailable',
    `Model "${id}": expected a family for ${task} (${known.join(', ')}), got "${family}"`,
  );
}

function wrap(family: ModelFamily, entry: ModelEntry, session: ModelSession): Ready {
  // Task and model are of the same family, which the type of a union of families can't say.
  return { task: family.task, model: family.wrap(entry, session) } as Ready;
}
