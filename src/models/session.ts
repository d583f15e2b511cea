import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { InferenceSession, listSupportedBackends, Tensor } from 'onnxruntime-node';
import { EngineError } from '../engine/errors.js';

/** A tensor as plain data. */
export interface TensorData {
  type: 'uint8' | 'float32' | 'float16' | 'int32' | 'int64';
  data: Uint8Array | Float32Array | Uint16Array | Int32Array | BigInt64Array;
  dims: readonly number[];
}

/** A network ready to run on one device in this thread. */
export interface ModelSession {
  /** The execution provider it was made for, for example `cpu`; `verifyDevice` tells whether that one really runs it. */
  device: Device;
  inputNames: readonly string[];
  outputNames: readonly string[];
  /** Runs the network. Blocks this thread while it runs: never call it where HTTP is served. Errors: `out_of_memory`, `internal`. */
  run(feeds: Record<string, TensorData>): Promise<Record<string, TensorData>>;
  /** Gives the memory back as far as the runtime does. */
  release(): Promise<void>;
}

/** The devices of the settings, and what the runtime calls their providers: when asked for, and in a profile. */
const providers = {
  cpu: { name: 'cpu', profiled: 'CPUExecutionProvider' },
  cuda: { name: 'cuda', profiled: 'CUDAExecutionProvider' },
  tensorrt: { name: 'tensorrt', profiled: 'TensorrtExecutionProvider' },
  webgpu: { name: 'webgpu', profiled: 'WebGpuExecutionProvider' },
  coreml: { name: 'coreml', profiled: 'CoreMLExecutionProvider' },
  directml: { name: 'dml', profiled: 'DmlExecutionProvider' },
} as const;

/** Where a network can run. */
export type Device = keyof typeof providers;

export interface SessionOptions {
  device: Device;
  /** Threads of one run on the CPU. */
  threads: number;
  /** Whose network it is, for messages; left out for a network of one's own, such as a probe. */
  model?: { id: string };
}

/**
 * A session made from exactly these bytes, for this device and no other: where its provider can't be had it throws rather
 * than falling back. Blocks this thread while it loads. Errors: `model_unavailable`, `out_of_memory`.
 */
export async function createSession(bytes: Uint8Array, options: SessionOptions): Promise<ModelSession> {
  const { device, model } = options;
  const name = model ? `Model "${model.id}"` : 'The network';
  const session = await create(bytes, runtimeOptions(options), `${name} can't be loaded on ${device}`);
  return {
    device,
    inputNames: session.inputNames,
    outputNames: session.outputNames,
    run: (feeds) => run(session, feeds, name),
    release: () => session.release(),
  };
}

/** What a profile of one run says of where the network ran. */
export interface DeviceReport {
  /** Whether the device ran at least half of the nodes; some (shapes, say) always stay on the CPU. */
  isOnDevice: boolean;
  /** Nodes per execution provider, as the runtime names it. */
  nodes: Record<string, number>;
}

/**
 * Runs the network once with profiling and tells which provider ran its nodes: a provider may take a session and then
 * leave its work to the CPU. `folder` is for a temporary file. Errors: as `createSession` and `run`.
 */
export async function verifyDevice(
  bytes: Uint8Array,
  device: Device,
  { feeds, folder }: { feeds: Record<string, TensorData>; folder: string },
): Promise<DeviceReport> {
  const scratch = await mkdtemp(join(folder, 'profile-'));
  try {
    const profiling = { enableProfiling: true, profileFilePrefix: join(scratch, 'run') };
    const settings = { ...runtimeOptions({ device, threads: 1 }), ...profiling };
    const session = await create(bytes, settings, `The network can't be loaded on ${device}`);
    await run(session, feeds, 'The network');
    session.endProfiling();
    await session.release();
    const nodes = await countNodes(scratch);
    const total = Object.values(nodes).reduce((sum, count) => sum + count, 0);
    return { isOnDevice: (nodes[providers[device].profiled] ?? 0) * 2 >= Math.max(total, 1), nodes };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** The devices that this build of the runtime knows; whether one works shows only when a session is made. */
export function knownDevices(): Device[] {
  const known = listSupportedBackends().map((backend) => backend.name);
  return (Object.keys(providers) as Device[]).filter((device) => known.includes(providers[device].name));
}

function runtimeOptions({
  device,
  threads,
}: Pick<SessionOptions, 'device' | 'threads'>): InferenceSession.SessionOptions {
  return {
    executionProviders: [providers[device].name],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    // Errors reach us as exceptions; the rest (warnings about foreign exports) would fill the log.
    logSeverityLevel: 4,
    // Measured on a shared machine: 4 workers × 4 threads did 4.57 runs/s spinning and 12.22 without.
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  };
}

async function create(
  bytes: Uint8Array,
  options: InferenceSession.SessionOptions,
  failure: string,
): Promise<InferenceSession> {
  try {
    return await InferenceSession.create(bytes, options);
  } catch (error) {
    if (isOutOfMemory(error)) throw new EngineError('out_of_memory', `${failure}: out of memory`, { cause: error });
    throw new EngineError('model_unavailable', `${failure}: ${firstLine(error)}`, { cause: error });
  }
}

async function run(
  session: InferenceSession,
  feeds: Record<string, TensorData>,
  name: string,
): Promise<Record<string, TensorData>> {
  try {
    const tensors = Object.entries(feeds).map(([key, { type, data, dims }]) => [key, new Tensor(type, data, dims)]);
    const results = await session.run(Object.fromEntries(tensors));
    return Object.fromEntries(Object.entries(results).map(([key, value]) => [key, plain(value)]));
  } catch (error) {
    if (!isOutOfMemory(error)) throw new EngineError('internal', `${name} failed`, { cause: error });
    throw new EngineError('out_of_memory', `${name} ran out of memory; try again later or a smaller picture`, {
      cause: error,
    });
  }
}

function plain(value: { type: string; data: unknown; dims: readonly number[] }): TensorData {
  return { type: value.type as TensorData['type'], data: value.data as TensorData['data'], dims: value.dims };
}

/** Nodes per provider of the one profile in this folder. */
async function countNodes(folder: string): Promise<Record<string, number>> {
  const [file] = await readdir(folder);
  if (file === undefined) throw new EngineError('internal', 'The runtime wrote no profile of the run');
  const events = JSON.parse(await readFile(join(folder, file), 'utf8')) as {
    cat?: string;
    args?: { provider?: string };
  }[];
  const nodes: Record<string, number> = {};
  for (const { cat, args } of events) {
    if (cat === 'Node' && args?.provider) nodes[args.provider] = (nodes[args.provider] ?? 0) + 1;
  }
  return nodes;
}

function isOutOfMemory(error: unknown): boolean {
  return /failed to allocate|out of memory|bad_alloc|allocation failed/i.test(firstLine(error));
}

function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split('\n', 1)[0] ?? message;
}
