import { tensorsProblem } from './family-tensors.js';
import { familyOf } from './index.js';
import type { ModelEntry, WeightFile } from './lockfile.js';
import type { LoadableTask, ModelFamily, ModelOfTask, ModelParts } from './model.js';
import { checkNetwork, withNames } from './files/network.js';
import type { DeclaredSignature } from './files/onnx-file.js';
import { type OpenedPart, partsOf, unfit } from './files/parts.js';
import { createSession, type Device, type ModelSession } from './session.js';
import { mixWeights } from './files/weight-mixture.js';
import { readVerified } from './files/weights.js';

type Ready = { [Task in LoadableTask]: { task: Task; model: ModelOfTask[Task] } }[LoadableTask];

/** A model in the memory of this thread. */
export type LoadedModel = Ready & {
  /** The device that its sessions were made for. */
  device: Device;
  /** Size of its files; a run needs more on top. */
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

/** Reads, checks and loads a model with all its files. Errors: `model_unavailable`, `out_of_memory`. */
export async function loadModel(entry: ModelEntry, options: LoadOptions): Promise<LoadedModel> {
  return openAll(entry, await readFiles(entry, options.folder), options);
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
  const [[main, ...parts], [other]] = await Promise.all([
    readFiles(entry, options.folder),
    readFiles(twin, options.folder),
  ]);
  if (!main || !other) throw unfit(entry, 'it has no file');
  const bytes = mixWeights(main.bytes, other.bytes, { share, names: [entry.id, twin.id] });
  return openAll(entry, [{ ...main, bytes }, ...parts], options);
}

async function openAll(entry: ModelEntry, files: readonly ReadFile[], options: LoadOptions): Promise<LoadedModel> {
  const family = familyOf(entry);
  const { declared } = files[0] ?? {};
  const problem = declared ? tensorsProblem(family, declared) : null;
  if (problem !== null) throw unfit(entry, problem);
  const bytes = files.reduce((sum, file) => sum + file.bytes.length, 0);
  const opened: OpenedFile[] = [];
  const release = async () => void (await Promise.all(opened.map(({ session }) => session?.release())));
  try {
    for (const file of files) opened.push(await open(file, entry, options));
    const [main] = opened;
    if (!main?.session || !main.declared) throw unfit(entry, 'its first file must be a network (.onnx)');
    const ready = wrap(family, withNames(entry, main.declared), main.session, partsOf(entry, opened));
    return { ...ready, device: main.session.device, bytes, release };
  } catch (error) {
    await release();
    throw error;
  }
}

type OpenedFile = ReadFile & OpenedPart;

interface ReadFile {
  file: WeightFile;
  bytes: Uint8Array;
  /** Null for a file that is no network. */
  declared: DeclaredSignature | null;
}

/** The files of a model, every one checked before the first session is made. */
async function readFiles(entry: ModelEntry, folder: string): Promise<ReadFile[]> {
  const found: ReadFile[] = [];
  for (const file of entry.files) {
    const bytes = await readVerified(entry, file, folder);
    const { inputs, outputs } = file.part === undefined ? entry : file;
    const declared = file.name.endsWith('.onnx') ? checkNetwork(bytes, entry, { inputs, outputs }) : null;
    found.push({ file, bytes, declared });
  }
  return found;
}

async function open(read: ReadFile, entry: ModelEntry, { device, threads }: LoadOptions): Promise<OpenedFile> {
  const session = read.declared && (await createSession(read.bytes, { device, threads, model: entry }));
  return { ...read, session };
}

function wrap(family: ModelFamily, entry: ModelEntry, session: ModelSession, parts: ModelParts): Ready {
  // Task and model are of the same family, which the type of a union of families can't say.
  return { task: family.task, model: family.wrap(entry, session, parts) } as Ready;
}
